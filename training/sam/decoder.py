"""The mask decoder: a two-way transformer at a 32nd of the frame and a path of edges up to a quarter."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.sam.encoder import DETAIL, FINE, FRAME, SEMANTIC
from training.sam.prompts import GRID, MAPS, TOP_LEFT, PromptEncoder

MASKS = 4
"""The first mask is for boxes and several points, the other three for a single point."""
LOW = 4 * GRID


def perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Three layers."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                         nn.Linear(hidden, outputs))


class Attention(nn.Module):
    """Multi-head attention at a narrower width."""

    def __init__(self, depth: int, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.query, self.key, self.value = (nn.Linear(depth, width) for _ in range(3))
        self.out = nn.Linear(width, depth)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query, key, value = (layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer, x in
                             ((self.query, query), (self.key, key), (self.value, value)))
        weights = torch.softmax(query @ key.transpose(2, 3) * self.scale, -1)
        return self.out((weights @ value).transpose(1, 2).flatten(2))


class TwoWayBlock(nn.Module):
    """Tokens attend to each other and to the image, then the image to the tokens."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.among, self.to_image, self.from_image = (Attention(depth, width) for width in (depth, depth // 2, depth // 2))
        self.mlp = nn.Sequential(nn.Linear(depth, 2 * depth), nn.ReLU(), nn.Linear(2 * depth, depth))
        self.norms = nn.ModuleList([nn.LayerNorm(depth) for _ in range(4)])

    def forward(self, tokens: Tensor, image: Tensor, token_places: Tensor, image_places: Tensor) -> tuple[Tensor, Tensor]:
        query = tokens + token_places
        tokens = self.norms[0](tokens + self.among(query, query, tokens))
        tokens = self.norms[1](tokens + self.to_image(tokens + token_places, image + image_places, image))
        tokens = self.norms[2](tokens + self.mlp(tokens))
        image = self.norms[3](image + self.from_image(image + image_places, tokens + token_places, tokens))
        return tokens, image


class Decoder(nn.Module):
    """From embeddings and prompts to four masks at a quarter of the frame, with a quality predicted for each."""

    def __init__(self, depth: int = 96, shallow: int = 48) -> None:
        super().__init__()
        self.prompts = PromptEncoder(depth)
        self.tokens = nn.Parameter(torch.randn(1 + MASKS, depth) * 0.5)
        self.to_coarse = nn.Conv2d(SEMANTIC, depth, 1)
        self.to_shallow = nn.Conv2d(SEMANTIC, shallow, 1)
        self.maps_to_coarse = nn.Conv2d(MAPS, depth, 2, 2)
        self.maps_to_shallow = nn.Conv2d(MAPS, shallow, 1)
        self.earlier = nn.Sequential(nn.Conv2d(1, 8, 4, 4), nn.ReLU(), nn.Conv2d(8, depth, 2, 2))
        self.no_earlier = nn.Parameter(torch.zeros(1, depth, 1, 1))
        self.blocks = nn.ModuleList([TwoWayBlock(depth) for _ in range(2)])
        self.last = Attention(depth, depth // 2)
        self.last_norm = nn.LayerNorm(depth)
        self.up_64 = nn.ConvTranspose2d(depth, shallow, 2, 2)
        self.mix_64 = nn.Sequential(
            nn.ReLU(), nn.Conv2d(shallow, shallow, 3, padding=1, groups=shallow), nn.Conv2d(shallow, shallow, 1))
        self.up_128 = nn.ConvTranspose2d(shallow, DETAIL, 2, 2)
        self.mix_128 = nn.Sequential(
            nn.ReLU(), nn.Conv2d(DETAIL, DETAIL, 3, padding=1, groups=DETAIL), nn.Conv2d(DETAIL, DETAIL, 1), nn.ReLU())
        self.up_256 = nn.ConvTranspose2d(DETAIL, 8, 2, 2)
        self.fine = nn.Conv2d(FINE, 8, 1)
        self.kernels = nn.ModuleList([perceptron(depth, depth, 8) for _ in range(MASKS)])
        self.biases = nn.Linear(depth, 1)
        self.outside = nn.Parameter(torch.full((1,), 4.0))
        self.quality = perceptron(depth, depth, MASKS)

    def forward(self, embeddings: Tensor, points: Tensor, labels: Tensor, earlier: Tensor, has_earlier: Tensor) -> tuple[
            Tensor, Tensor]:
        """
        Args:
            embeddings: `[B, 256, 64, 64]`; one for each prompt, or one of several prompts each in turn.
            points: `[P, N, 2]` in the frame; P a multiple of B.
            labels: `[P, N]`.
            earlier: logits of an earlier mask `[P, 1, 256, 256]`.
            has_earlier: whether there is one, `[P]` or `[1]`, 0 or 1.

        Returns:
            Logits `[P, 4, 256, 256]` and predicted intersections over unions `[P, 4]`.
        """
        semantic, detail, fine = embeddings.split([SEMANTIC, 4 * DETAIL, 16 * FINE], 1)
        image = [self.to_coarse(F.avg_pool2d(semantic, 2)), self.to_shallow(semantic),
                 F.pixel_shuffle(detail, 2), self.fine(F.pixel_shuffle(fine, 4))]
        if points.shape[0] != embeddings.shape[0]:
            image = [x.repeat_interleave(points.shape[0] // embeddings.shape[0], 0) for x in image]
        coarse, shallow, detail, fine = image
        prompts, maps = self.prompts(semantic, points, labels)
        given = has_earlier.view(-1, 1, 1, 1)
        coarse = coarse + self.maps_to_coarse(maps) + given * self.earlier(earlier) + (1 - given) * self.no_earlier
        tokens, coarse = self._attend(prompts, coarse)

        x = self.mix_64(self.up_64(coarse) + shallow + self.maps_to_shallow(maps))
        x = self.mix_128(self.up_128(F.relu(x)) + detail)
        x = F.relu(self.up_256(x) + fine)
        masks = tokens[:, 1:1 + MASKS]
        kernels = torch.stack([kernel(masks[:, index]) for index, kernel in enumerate(self.kernels)], 1)
        logits = (kernels @ x.flatten(2)).unflatten(2, (LOW, LOW)) + self.biases(masks).unsqueeze(-1)
        # A mask rarely leaves its box.
        boxed = (labels == TOP_LEFT).float().amax(1)[:, None, None]
        outside = boxed - self.prompts.inside(points + 0.5, labels, LOW)
        logits = logits - (self.outside * outside).unsqueeze(1)
        return logits, torch.sigmoid(self.quality(tokens[:, 0]))

    def _attend(self, prompts: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor]:
        side = coarse.shape[-1]
        places = self.prompts.encode(F.avg_pool2d(
            self.prompts.centres.t().reshape(1, 2, GRID, GRID), GRID // side).flatten(2).transpose(1, 2))
        image = coarse.flatten(2).transpose(1, 2)
        own = self.tokens.unsqueeze(0) + torch.zeros_like(prompts[:, :1])
        token_places = torch.cat([own, prompts], 1)
        tokens = token_places
        for block in self.blocks:
            tokens, image = block(tokens, image, token_places, places)
        tokens = self.last_norm(tokens + self.last(tokens + token_places, image + places, image))
        return tokens, image.transpose(1, 2).unflatten(2, (side, side))


class OfficialDecoder(nn.Module):
    """The decoder behind the published export's inputs and outputs, one prompt a call."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, image_embeddings: Tensor, point_coords: Tensor, point_labels: Tensor, mask_input: Tensor,
                has_mask_input: Tensor, orig_im_size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns masks at the photograph's size `[1, 4, H, W]`, predicted qualities `[1, 4]`, masks `[1, 4, 256, 256]`."""
        low, qualities = self.decoder(image_embeddings, point_coords, point_labels, mask_input, has_mask_input)
        shown = torch.floor(orig_im_size * (FRAME / orig_im_size.max()) + 0.5).to(torch.int64)
        size = orig_im_size.to(torch.int64)
        masks = F.interpolate(low, (FRAME, FRAME), mode="bilinear", align_corners=False)
        masks = masks[..., :shown[0], :shown[1]]
        masks = F.interpolate(masks, (size[0], size[1]), mode="bilinear", align_corners=False)
        return masks, qualities, low
