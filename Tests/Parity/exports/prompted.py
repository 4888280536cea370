"""Segment Anything: the published package and transformers."""
import torch
from torch import nn

from example import Example, image


def vit_h_encoder():
    """ViT-H's width, heads and windows; 4 of its 32 blocks and an image of 512 pixels."""
    from segment_anything.modeling import ImageEncoderViT
    module = ImageEncoderViT(
        img_size=512, patch_size=16, embed_dim=1280, depth=4, num_heads=16, out_chans=256, qkv_bias=True,
        use_rel_pos=True, window_size=14, global_attn_indexes=(3,))
    return Example(module, image(1, 3, 512, 512), ["image_embeddings"])


def transformers_sam():
    """Four blocks of 192 channels for images of 256 pixels."""
    from transformers import SamConfig, SamModel
    vision = dict(
        hidden_size=192, num_hidden_layers=4, num_attention_heads=6, image_size=256, global_attn_indexes=[1, 3],
        window_size=7, output_channels=128, num_pos_feats=64)
    prompts = dict(hidden_size=128, image_size=256, image_embedding_size=16)
    masks = dict(hidden_size=128, mlp_dim=512, num_attention_heads=8, iou_head_hidden_dim=128)
    return SamModel(SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=masks))


class VisionEncoder(nn.Module):
    """Image embeddings and the positional embeddings of the whole image."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        positions = self.model.get_image_wide_positional_embeddings()
        embeddings = self.model.vision_encoder(pixel_values)[0]
        return embeddings, positions.expand(embeddings.shape[0], -1, -1, -1)


class MaskDecoder(nn.Module):
    """Prompt encoder and mask decoder, from points."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_points, input_labels, image_embeddings, image_positional_embeddings):
        sparse, dense = self.model.prompt_encoder(
            input_points=input_points, input_labels=input_labels, input_boxes=None, input_masks=None)
        masks, scores = self.model.mask_decoder(
            image_embeddings=image_embeddings, image_positional_embeddings=image_positional_embeddings,
            sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense, multimask_output=True)[:2]
        return scores, masks


def vision_encoder():
    return Example(
        VisionEncoder(transformers_sam()), {"pixel_values": torch.randn(1, 3, 256, 256)},
        ["image_embeddings", "image_positional_embeddings"], opset=23)


def mask_decoder():
    inputs = {
        "input_points": torch.rand(1, 1, 3, 2) * 255, "input_labels": torch.tensor([[[1, 0, 1]]]),
        "image_embeddings": torch.randn(1, 128, 16, 16), "image_positional_embeddings": torch.randn(1, 128, 16, 16)}
    axes = {"input_points": {2: "points"}, "input_labels": {2: "points"}}
    more = inputs | {"input_points": torch.rand(1, 1, 5, 2) * 255, "input_labels": torch.tensor([[[1, 0, 1, -1, 1]]])}
    return Example(MaskDecoder(transformers_sam()), inputs, ["iou_scores", "pred_masks"], axes, more, opset=23)


MODELS = {
    "sam_vit_h_encoder": vit_h_encoder,
    "transformers_sam_encoder": vision_encoder,
    "transformers_sam_decoder": mask_decoder,
}
