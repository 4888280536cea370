"""A network with the contract of SAM that draws a smooth blob around its prompt: random weights would give noise, of which
no mask survives the automatic generator's filters.

`sam(...)` gives it as the published package's `Sam`, for the published generator; `export(...)` writes the same as two ONNX
graphs under the official names.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from segment_anything.modeling import Sam

CHANNELS = 4
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


class Encoder(nn.Module):
    """Means of 16 x 16 pixels, and a mixture of the three channels as the fourth."""
    def __init__(self, side):
        super().__init__()
        self.img_size = side
        self.mix = nn.Conv2d(3, CHANNELS, 1)
        with torch.no_grad():
            self.mix.weight.copy_(torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [.5, -.8, .4]]).float()[:, :, None, None])
            self.mix.bias.zero_()

    def forward(self, image):
        return self.mix(F.avg_pool2d(image, 16))


class Blobs(nn.Module):
    """From a prompt's points and the embedding to four masks and their qualities."""
    def __init__(self, side):
        super().__init__()
        self.side = side
        low = side // 4
        centres = (torch.arange(low) + .5) * 4
        self.register_buffer("columns", centres.view(1, 1, 1, low))
        self.register_buffer("rows", centres.view(1, 1, low, 1))
        cells = (torch.arange(side // 16) + .5) * 16
        self.register_buffer("cell_columns", cells.view(1, 1, 1, -1))
        self.register_buffer("cell_rows", cells.view(1, 1, -1, 1))
        scale = side / 1024
        self.register_buffer("radii", torch.tensor([150., 45., 80., 130.]).view(1, 4, 1, 1) * scale)
        # Steepness in logits per pixel of the frame: the lower, the less stable.
        self.register_buffer("slopes", torch.tensor([1., 2.2, 1.4, .55]).view(1, 4, 1, 1) / scale)
        self.register_buffer("qualities", torch.tensor([.93, .90, .94, .88]).view(1, 4))
        self.reach = 40. * scale

    def forward(self, embedding, points, labels):
        """[1, C, h, w], [B, N, 2] in the frame, [B, N] -> [B, 4, side / 4, side / 4], [B, 4]."""
        inside = ((labels == 1) | (labels == 2) | (labels == 3)).to(points.dtype).unsqueeze(-1)
        centre = (points * inside).sum(1) / inside.sum(1)
        x, y = centre[:, 0].view(-1, 1, 1, 1), centre[:, 1].view(-1, 1, 1, 1)
        # What the image shows around the point.
        weights = torch.exp(-((self.cell_columns - x) ** 2 + (self.cell_rows - y) ** 2) / (2 * self.reach ** 2)) + 1e-9
        seen = (embedding * weights).sum((2, 3)) / weights.sum((2, 3))
        size = torch.sigmoid(seen[:, 3] + .3 * seen[:, 0]).view(-1, 1, 1, 1)
        stretch = torch.exp(.3 * torch.tanh(seen[:, 1])).view(-1, 1, 1, 1)
        distance = torch.sqrt(((self.columns - x) * stretch) ** 2 + ((self.rows - y) / stretch) ** 2 + 1e-6)
        radii = self.radii * (.5 + size)
        blob = radii - distance
        # The two larger masks have a hole, and an island beside them.
        hole = torch.sqrt((self.columns - x - .4 * radii) ** 2 + (self.rows - y) ** 2 + 1e-6) - .12 * radii
        island = .12 * radii - torch.sqrt((self.columns - x) ** 2 + (self.rows - y - 1.9 * radii) ** 2 + 1e-6)
        masks = torch.cat([blob[:, :2], torch.maximum(torch.minimum(blob, hole), island)[:, 2:]], 1) * self.slopes
        qualities = self.qualities + .05 * torch.tanh(seen)
        return masks, qualities


class Prompts(nn.Module):
    """Hands points and labels through to the decoder."""
    def get_dense_pe(self):
        return torch.zeros(1)

    def forward(self, points, boxes, masks):
        coordinates, labels = points
        return torch.cat([coordinates, labels.unsqueeze(-1)], -1).float(), torch.zeros(1)


class Decoder(nn.Module):
    def __init__(self, blobs):
        super().__init__()
        self.blobs = blobs

    def forward(self, image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings, multimask_output):
        masks, qualities = self.blobs(
            image_embeddings, sparse_prompt_embeddings[..., :2], sparse_prompt_embeddings[..., 2])
        chosen = slice(1, None) if multimask_output else slice(0, 1)
        return masks[:, chosen], qualities[:, chosen]


class OfficialDecoder(nn.Module):
    """Inputs and outputs of the published export."""
    def __init__(self, blobs):
        super().__init__()
        self.blobs = blobs

    def forward(self, image_embeddings, point_coords, point_labels, mask_input, has_mask_input, orig_im_size):
        # Uses every input, so that the exporter keeps it.
        unused = 0 * (mask_input.sum() + has_mask_input.sum() + orig_im_size.sum())
        low, qualities = self.blobs(image_embeddings, point_coords, point_labels)
        masks = F.interpolate(low, (self.blobs.side, self.blobs.side), mode="bilinear", align_corners=False)
        return masks, qualities + unused, low


def sam(side):
    return Sam(Encoder(side), Prompts(), Decoder(Blobs(side)), MEAN, STD).eval()


def export(side, encoder_path, decoder_path):
    model = sam(side)
    torch.onnx.export(
        model.image_encoder, torch.zeros(1, 3, side, side), encoder_path, input_names=["image"],
        output_names=["image_embeddings"], dynamo=False, opset_version=17)
    torch.onnx.export(
        OfficialDecoder(model.mask_decoder.blobs),
        (torch.zeros(1, CHANNELS, side // 16, side // 16), torch.rand(1, 5, 2) * side, torch.ones(1, 5),
         torch.zeros(1, 1, side // 4, side // 4), torch.zeros(1), torch.tensor([48., 64.])),
        decoder_path,
        input_names=["image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size"],
        output_names=["masks", "iou_predictions", "low_res_masks"],
        dynamic_axes={"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}}, dynamo=False,
        opset_version=17)
    return model
