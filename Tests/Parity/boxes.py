"""Draws boxes around the regions of a dataset's masks and writes them in four formats; compares what came of them.

    python boxes.py draw DATASET/Gt DATASET/Tp OUT      # OUT/{coco,voc,yolo,labelme}
    python boxes.py compare OUT/masks-coco OUT/masks-voc OUT/masks-yolo OUT/masks-labelme

A region is an 8-connected component of pixels above 127, of at least 16 pixels; its box is the smallest around it.
"""
import argparse
import csv
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image
from scipy import ndimage

SMALLEST = 16


def regions(mask):
    """[left, top, width, height] of each component, in whole pixels."""
    labels, count = ndimage.label(np.asarray(mask.convert("L")) > 127, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    for index, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        if sizes[index] >= SMALLEST:
            yield [columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start]


def draw(masks, photos, out):
    stems = {photo.stem: photo for photo in sorted(photos.iterdir())}
    coco = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "region"}]}
    for name in ("coco", "voc", "yolo", "labelme"):
        (out / name).mkdir(parents=True, exist_ok=True)
    (out / "yolo" / "classes.txt").write_text("region\n")
    count = 0
    for path in sorted(masks.iterdir()):
        photo = stems[path.stem.removesuffix("_gt")]
        mask = Image.open(path)
        width, height = mask.size
        assert Image.open(photo).size == mask.size, photo
        boxes = list(regions(mask))
        count += len(boxes)
        number = len(coco["images"]) + 1
        coco["images"].append({"id": number, "file_name": photo.name, "width": width, "height": height})
        for box in boxes:
            coco["annotations"].append({
                "id": len(coco["annotations"]) + 1, "image_id": number, "category_id": 1, "bbox": box,
                "area": box[2] * box[3], "iscrowd": 0})
        voc(boxes, photo.name, width, height, out / "voc" / f"{photo.stem}.xml")
        (out / "yolo" / f"{photo.stem}.txt").write_text("".join(
            f"0 {(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f} {w / width:.6f} {h / height:.6f}\n"
            for x, y, w, h in boxes))
        (out / "labelme" / f"{photo.stem}.json").write_text(json.dumps({
            "version": "5.4.1", "flags": {}, "imagePath": photo.name, "imageData": None, "imageHeight": height,
            "imageWidth": width, "shapes": [
                {"label": "region", "shape_type": "rectangle", "points": [[x, y], [x + w, y + h]], "group_id": None,
                 "flags": {}} for x, y, w, h in boxes]}))
    (out / "coco" / "boxes.json").write_text(json.dumps(coco))
    print(f"{count} boxes on {len(coco['images'])} photos")


def voc(boxes, name, width, height, path):
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = name
    size = ElementTree.SubElement(root, "size")
    for key, value in (("width", width), ("height", height), ("depth", 3)):
        ElementTree.SubElement(size, key).text = str(value)
    for x, y, w, h in boxes:
        item = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(item, "name").text = "region"
        box = ElementTree.SubElement(item, "bndbox")
        # Counted from 1, the last pixel included.
        for key, value in (("xmin", x + 1), ("ymin", y + 1), ("xmax", x + w), ("ymax", y + h)):
            ElementTree.SubElement(box, key).text = str(value)
    ElementTree.ElementTree(root).write(path)


def compare(folders):
    """Files byte for byte, and the tables but for where the boxes stand."""
    def files(folder):
        return {str(path.relative_to(folder)): path.read_bytes()
                for part in ("Tp", "Gt") for path in (folder / part).iterdir()}

    def table(folder):
        with open(folder / "report.csv", newline="") as file:
            return [{key: value for key, value in row.items() if key != "place"} for row in csv.DictReader(file)]

    first_files, first_table = files(folders[0]), table(folders[0])
    same = all(files(folder) == first_files and table(folder) == first_table for folder in folders[1:])
    masks = sum(name.startswith("Gt/") for name in first_files)
    print(f"{masks} masks, {len(first_table)} boxes in {len(folders)} folders:", "identical" if same else "DIFFERENT")
    return same and masks > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw")
    for name in ("masks", "photos", "out"):
        drawing.add_argument(name, type=Path)
    comparing = commands.add_parser("compare")
    comparing.add_argument("folders", type=Path, nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "draw":
        draw(arguments.masks, arguments.photos, arguments.out)
    elif not compare(arguments.folders):
        sys.exit(1)


main()
