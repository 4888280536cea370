"""Writes images/: small pictures in every format that is read, and what other programs make of them.

Run it with Python and pillow, numpy, tifffile, torch. Expected values are the numbers that a file was made from where it
keeps them, and Pillow's decoding where it loses some (JPEG, lossy WebP); resampling is Pillow's and PyTorch's; error
levels are Pillow's, whose wheel brings its own libjpeg-turbo.
"""

import base64
import io
import json
import pathlib
import struct
import zlib

import numpy as np
import tifffile
import torch
from PIL import Image, ImageOps

FOLDER = pathlib.Path(__file__).parent / "images"
FOLDER.mkdir(exist_ok=True)
random = np.random.default_rng(20240607)
expected = {}


def scene(width, height):
    """Smooth colours, a hard edge and noise: something of everything that a photograph has."""
    y, x = np.mgrid[:height, :width]
    picture = np.stack([
        128 + 90 * np.sin(x / 7 + y / 11), 120 + 80 * np.cos(x / 5 - y / 9), 110 + 70 * np.sin(y / 6),
    ], -1)
    picture[(x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 3) ** 2] = (220, 60, 30)
    return np.clip(picture + random.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)


def encoded(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def expect(name, rgb, orientation=1, warnings=0):
    height, width = rgb.shape[:2]
    expected[name] = dict(
        width=width, height=height, orientation=orientation, warnings=warnings, rgb=encoded(rgb.astype(np.uint8)))


def grey_to_rgb(grey):
    return np.repeat(grey[..., None], 3, -1)


def rounded(array16):
    """16 bits to 8: the nearest, 65535 being 255."""
    return np.round(array16 / 257).astype(np.uint8)


def write(name, data):
    (FOLDER / name).write_bytes(data)


def save(name, image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    write(name, buffer.getvalue())
    return buffer.getvalue()


def as_pillow_reads(name):
    return np.asarray(Image.open(FOLDER / name).convert("RGB"))


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


# JPEG
photo = scene(35, 21)
image = Image.fromarray(photo)
for name, options in {
    "420.jpg": dict(subsampling=2), "422.jpg": dict(subsampling=1), "444.jpg": dict(subsampling=0),
    "progressive.jpg": dict(progressive=True), "restarts.jpg": dict(restart_marker_blocks=2),
    "rgb.jpg": dict(keep_rgb=True, subsampling=0),
}.items():
    save(name, image, format="JPEG", quality=85, **options)
    expect(name, as_pillow_reads(name))
save("grey.jpg", image.convert("L"), format="JPEG", quality=85)
expect("grey.jpg", as_pillow_reads("grey.jpg"))
save("turned.jpg", image, format="JPEG", quality=85, exif=exif(6))
expect("turned.jpg", as_pillow_reads("turned.jpg"), orientation=6)
save("pixel.jpg", Image.new("RGB", (1, 1), (200, 100, 50)), format="JPEG")
expect("pixel.jpg", as_pillow_reads("pixel.jpg"))
save("cmyk.jpg", image.convert("CMYK"), format="JPEG")
save("ribbon.jpg", Image.new("RGB", (40000, 8), (90, 120, 150)), format="JPEG")


# PNG, by hand where Pillow does not write a kind
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color, rows, interlace=0, extra=b""):
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    body = zlib.compress(b"".join(b"\0" + row for row in rows), 9) if rows is not None else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + (chunk(b"IDAT", body) if rows is not None else b"")
        + chunk(b"IEND", b""))


def packed(values, depth):
    """Rows of numbers as bits, the first in the highest."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in values]
    bits = np.unpackbits(values.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth:]
    return [np.packbits(row.reshape(-1)).tobytes() for row in bits]


small = scene(19, 13)
height, width = small.shape[:2]
for depth in (1, 2, 4, 8, 16):
    levels = random.integers(0, 1 << depth, (height, width))
    write(f"grey{depth}.png", png(width, height, depth, 0, packed(levels, depth)))
    expect(f"grey{depth}.png", grey_to_rgb(np.round(levels * 255 / ((1 << depth) - 1))))
for depth in (1, 2, 4, 8):
    palette = random.integers(0, 256, (1 << depth, 3)).astype(np.uint8)
    indices = random.integers(0, 1 << depth, (height, width))
    write(
        f"palette{depth}.png",
        png(width, height, depth, 3, packed(indices, depth), extra=chunk(b"PLTE", palette.tobytes())))
    expect(f"palette{depth}.png", palette[indices])
write("rgb8.png", png(width, height, 8, 2, [row.tobytes() for row in small]))
expect("rgb8.png", small)
deep = random.integers(0, 65536, (height, width, 3))
write("rgb16.png", png(width, height, 16, 2, packed(deep, 16)))
expect("rgb16.png", rounded(deep))
rgba = np.dstack([small, random.integers(0, 256, (height, width))]).astype(np.uint8)
write("rgba.png", png(width, height, 8, 6, [row.tobytes() for row in rgba]))
expect("rgba.png", small, warnings=1)
write("grey-alpha.png", png(width, height, 8, 4, [row.tobytes() for row in rgba[..., 2:]]))
expect("grey-alpha.png", grey_to_rgb(rgba[..., 2]), warnings=1)
write(
    "color-key.png",
    png(width, height, 8, 2, [row.tobytes() for row in small], extra=chunk(b"tRNS", struct.pack(">HHH", *small[0, 0]))))
expect("color-key.png", small, warnings=1)
adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
passes = [row.tobytes() for x, y, dx, dy in adam7 for row in small[y::dy, x::dx] if row.size]
write("interlaced.png", png(width, height, 8, 2, passes, interlace=1))
expect("interlaced.png", small)
save("turned.png", Image.fromarray(small), format="PNG", exif=exif(8))
expect("turned.png", small, orientation=8)
write("pixel.png", png(1, 1, 8, 2, [bytes([1, 2, 3])]))
expect("pixel.png", np.array([[[1, 2, 3]]]))


# TIFF
for name, compression in {"raw.tif": None, "lzw.tif": "tiff_lzw", "deflate.tif": "tiff_adobe_deflate", "packbits.tif": "packbits"}.items():
    save(name, Image.fromarray(small), format="TIFF", compression=compression)
    expect(name, small)
save("jpeg.tif", image, format="TIFF", compression="jpeg", quality=85)
expect("jpeg.tif", as_pillow_reads("jpeg.tif"))
save("bilevel.tif", Image.fromarray(small[..., 0] > 128), format="TIFF", compression="group4")
expect("bilevel.tif", grey_to_rgb(np.where(small[..., 0] > 128, 255, 0)))
palette = random.integers(0, 256, (256, 3)).astype(np.uint8)
indexed = Image.fromarray(small[..., 0]).convert("P")
indexed.putpalette(palette.tobytes())
save("palette.tif", indexed, format="TIFF")
expect("palette.tif", palette[np.asarray(indexed)])
for orientation in (3, 6):
    save(f"orientation{orientation}.tif", Image.fromarray(small), format="TIFF", tiffinfo={274: orientation})
    expect(f"orientation{orientation}.tif", small, orientation=orientation)


def tiff(name, array, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, metadata=None, **options)
    write(name, buffer.getvalue())


tiff("tiled.tif", photo, tile=(16, 32), photometric="rgb")
expect("tiled.tif", photo)
tiff("rgb16.tif", deep.astype(np.uint16), photometric="rgb", compression="zlib", rowsperstrip=3)
expect("rgb16.tif", rounded(deep))
# libtiff keeps the high byte of 16-bit grey, so levels are used on which all ways of rounding agree.
tiff("grey16.tif", small[..., 0].astype(np.uint16) * 257, photometric="minisblack")
expect("grey16.tif", grey_to_rgb(small[..., 0]))
tiff("planar.tif", np.moveaxis(small, -1, 0).copy(), photometric="rgb", planarconfig="separate")
expect("planar.tif", small)
tiff("big-endian.tif", small, photometric="rgb", byteorder=">")
expect("big-endian.tif", small)
tiff("bigtiff.tif", small, photometric="rgb", bigtiff=True)
expect("bigtiff.tif", small)
tiff("rgba.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
expect("rgba.tif", small, warnings=1)
tiff("float.tif", small[..., 0].astype(np.float32), photometric="minisblack")
save("cmyk.tif", image.convert("CMYK"), format="TIFF")
save("pages.tif", Image.fromarray(small), format="TIFF", save_all=True, append_images=[Image.fromarray(small[::-1].copy())])
expect("pages.tif", small, warnings=1)


# WebP
save("lossy.webp", image, format="WEBP", quality=80)
expect("lossy.webp", as_pillow_reads("lossy.webp"))
save("lossless.webp", Image.fromarray(small), format="WEBP", lossless=True)
expect("lossless.webp", small)
save("rgba.webp", Image.fromarray(rgba), format="WEBP", lossless=True, exact=True)
expect("rgba.webp", small, warnings=1)
save(
    "animated.webp", Image.fromarray(small), format="WEBP", lossless=True, save_all=True,
    append_images=[Image.fromarray(255 - small)], duration=100)
expect("animated.webp", small, warnings=1)
save("turned.webp", Image.fromarray(small), format="WEBP", lossless=True, exif=exif(3))
expect("turned.webp", small, orientation=3)


# BMP
def bitmap(name, width, height, bits, rows, compression=0, palette=b"", masks=b"", header_size=40, colors=0):
    if header_size == 12:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 0, 0, colors, 0)
    offset = 14 + len(header) + len(masks) + len(palette)
    write(name, struct.pack("<2sIHHI", b"BM", offset + len(rows), 0, 0, offset) + header + masks + palette + rows)


def padded(rows):
    return b"".join(row + bytes(-len(row) % 4) for row in rows)


bottom_up = small[::-1]
bitmap("24.bmp", width, height, 24, padded([row[:, ::-1].tobytes() for row in bottom_up]))
expect("24.bmp", small)
bitmap("top-down.bmp", width, -height, 24, padded([row[:, ::-1].tobytes() for row in small]))
expect("top-down.bmp", small)
bitmap("os2.bmp", width, height, 24, padded([row[:, ::-1].tobytes() for row in bottom_up]), header_size=12)
expect("os2.bmp", small)
bitmap("32.bmp", width, height, 32, np.dstack([bottom_up[..., ::-1], rgba[..., 3]]).astype(np.uint8).tobytes())
expect("32.bmp", small)
for depth in (1, 4, 8):
    palette = random.integers(0, 256, (1 << depth, 3)).astype(np.uint8)
    indices = random.integers(0, 1 << depth, (height, width))
    table = np.dstack([palette[None, :, ::-1], np.zeros((1, 1 << depth, 1), np.uint8)]).tobytes()
    bitmap(f"{depth}.bmp", width, height, depth, padded(packed(indices[::-1], depth)), palette=table)
    expect(f"{depth}.bmp", palette[indices])


def fields(name, bits, layout, compression):
    """Channels of (bits, shift); 5 bits hold v, which stands for 255 v / 31."""
    values = [random.integers(0, 1 << size, (height, width)) for size, _ in layout]
    pixels = sum(value << shift for value, (_, shift) in zip(values, layout))[::-1]
    masks = b"".join(struct.pack("<I", ((1 << size) - 1) << shift) for size, shift in layout) if compression else b""
    rows = padded([row.astype("<u2" if bits == 16 else "<u4").tobytes() for row in pixels])
    bitmap(name, width, height, bits, rows, compression=compression, masks=masks)
    expect(name, np.stack([np.round(v * 255 / ((1 << s) - 1)) for v, (s, _) in zip(values, layout)], -1))


fields("555.bmp", 16, [(5, 10), (5, 5), (5, 0)], 0)
fields("565.bmp", 16, [(5, 11), (6, 5), (5, 0)], 3)
fields("fields32.bmp", 32, [(10, 20), (10, 10), (10, 0)], 3)

runs = np.repeat(random.integers(0, 16, (height, 7)), 3, axis=1)[:, :width]
runs[3] = random.integers(0, 16, width)


def run_lengths(values, nibbles):
    """Runs where values repeat, plain stretches where they do not."""
    data = b""
    for row in values:
        x = 0
        while x < len(row):
            run = 1
            while x + run < len(row) and row[x + run] == row[x]: run += 1
            plain = min(5, len(row) - x)
            if run < 3 and plain >= 3:
                stretch = [int(v) for v in row[x:x + plain]]
                body = bytes(a << 4 | b for a, b in zip(stretch[::2], stretch[1::2] + [0])) if nibbles else bytes(stretch)
                data += bytes([0, plain]) + body + bytes(len(body) % 2)
                x += plain
            else:
                data += bytes([run, int(row[x]) * 17 if nibbles else int(row[x])])
                x += run
        data += b"\0\0"
    return data + b"\0\1"


palette = random.integers(0, 256, (16, 3)).astype(np.uint8)
table = np.dstack([palette[None, :, ::-1], np.zeros((1, 16, 1), np.uint8)]).tobytes()
for name, bits, method in (("rle8.bmp", 8, 1), ("rle4.bmp", 4, 2)):
    bitmap(name, width, height, bits, run_lengths(runs[::-1], bits == 4), compression=method, palette=table, colors=16)
    expect(name, palette[runs])


# Headers that promise 400 megapixels, and ones that promise 81 within the limit, with nothing behind them
for name, side in (("huge", 20000), ("hollow", 9000)):
    jpeg = bytearray(save(f"{name}.jpg", image, format="JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5:frame + 9] = struct.pack(">HH", side, side)
    scan = jpeg.index(b"\xff\xda")
    write(f"{name}.jpg", bytes(jpeg[:scan + 14]))
    progressive = bytearray(save(f"{name}-progressive.jpg", image, format="JPEG", progressive=True))
    frame = progressive.index(b"\xff\xc2")
    progressive[frame + 5:frame + 9] = struct.pack(">HH", side, side)
    scan = progressive.index(b"\xff\xda")
    write(f"{name}-progressive.jpg", bytes(progressive[:scan + 14]))
    write(f"{name}.png", png(side, side, 8, 2, []))
    write(f"{name}-interlaced.png", png(side, side, 8, 2, [], interlace=1))
    bitmap(f"{name}.bmp", side, side, 24, b"")
    bitmap(f"{name}-rle8.bmp", side, side, 8, b"", compression=1, palette=table)
    data = bytearray(save(f"{name}.tif", Image.fromarray(small), format="TIFF", compression="tiff_lzw"))
    directory = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, directory)[0]):
        at = directory + 2 + 12 * entry
        if struct.unpack_from("<H", data, at)[0] in (256, 257, 278):
            struct.pack_into("<HHII", data, at, struct.unpack_from("<H", data, at)[0], 4, 1, side)
    write(f"{name}.tif", bytes(data))
    lossless = bytearray((FOLDER / "lossless.webp").read_bytes())
    claim = min(side, 16384) - 1
    struct.pack_into("<I", lossless, 21, claim | claim << 14)
    write(f"{name}.webp", bytes(lossless[:40]))

(FOLDER / "expected.json").write_text(json.dumps(expected, indent=0, sort_keys=True) + "\n")

# Orientation: what Pillow shows of a grid of 3 × 2
grid = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
turned = []
for orientation in range(1, 9):
    stored = Image.fromarray(grid)
    stored.getexif()[0x0112] = orientation
    seen = np.asarray(ImageOps.exif_transpose(stored))
    turned.append(dict(orientation=orientation, width=seen.shape[1], height=seen.shape[0], rgb=encoded(seen)))
(FOLDER / "orientations.json").write_text(json.dumps(turned, indent=0) + "\n")

# Resampling
photo = scene(47, 33)
pillow = []
for size in ((16, 9), (60, 66), (47, 10), (13, 33), (1, 1), (50, 34), (46, 32), (7, 90)):
    resized = np.asarray(Image.fromarray(photo).resize(size, Image.BILINEAR))
    pillow.append(dict(width=size[0], height=size[1], rgb=encoded(resized)))
values = random.normal(0, 1, (11, 17)).astype(np.float32)
pytorch = []
for size in ((34, 22), (100, 7), (5, 4), (17, 30), (1, 1), (16, 12)):
    for antialias in (False, True):
        resized = torch.nn.functional.interpolate(
            torch.tensor(values)[None, None], size=size[::-1], mode="bilinear", align_corners=False, antialias=antialias)
        pytorch.append(dict(width=size[0], height=size[1], antialias=antialias, values=encoded(resized.numpy())))
mask = random.integers(0, 2, (9, 14)).astype(bool)
nearest = []
for size in ((28, 18), (5, 3), (31, 4)):
    resized = torch.nn.functional.interpolate(
        torch.tensor(mask, dtype=torch.float64)[None, None], size=size[::-1], mode="nearest-exact")
    nearest.append(dict(width=size[0], height=size[1], values=encoded(resized.numpy().astype(np.uint8))))
(FOLDER / "resampling.json").write_text(json.dumps(dict(
    rgb=encoded(photo), rgbWidth=47, rgbHeight=33, pillow=pillow,
    map=encoded(values), mapWidth=17, mapHeight=11, pytorch=pytorch,
    mask=encoded(mask.astype(np.uint8)), maskWidth=14, maskHeight=9, nearest=nearest), indent=0) + "\n")

# Error levels
pictures = []
for width, height in ((48, 40), (33, 17), (5, 3)):
    original = scene(width, height)
    cases = []
    for quality, subsampling in ((90, "4:2:0"), (75, "4:2:2"), (98, "4:4:4"), (30, "4:2:0")):
        buffer = io.BytesIO()
        Image.fromarray(original).save(
            buffer, format="JPEG", quality=quality, subsampling=["4:4:4", "4:2:2", "4:2:0"].index(subsampling))
        difference = original.astype(int) - np.asarray(Image.open(buffer)).astype(int)
        assert abs(difference).max() < 128
        cases.append(dict(quality=quality, subsampling=subsampling, differences=encoded(difference.astype(np.int8))))
    pictures.append(dict(width=width, height=height, rgb=encoded(original), cases=cases))
(FOLDER / "error-levels.json").write_text(json.dumps(pictures, indent=0) + "\n")
