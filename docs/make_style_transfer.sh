#!/bin/sh
# Makes the pictures of docs/style-transfer.md with the command itself. Usage:
#   sh docs/make_style_transfer.sh VGG.safetensors PHOTO PAINTING FOLDER
# Half an hour on two free cores; pictures that exist already are not painted again.
set -eu
vgg=$1 photo=$2 painting=$3 folder=$4
mkdir -p "$folder"

paint() {
    name=$1
    shift
    [ -e "$folder/$name.png" ] && [ ! -e "$folder/$name.png.unfinished.safetensors" ] && return
    impasto paint "$photo" "$painting" --vgg "$vgg" -o "$folder/$name.png" \
        --sizes "${SIZE:-256}" --steps "${STEPS:-100}" --resume "$@"
}

# content reconstruction: noise that gets the photo's activations at one layer
for block in 1 2 3 4 5; do
    paint "content-$block" --init noise --style-weight 0 --content-layers "relu${block}_1"
done

# style reconstruction: noise that gets the painting's Gram matrices at ever more layers
layers=""
for block in 1 2 3 4 5; do
    layers="${layers:+$layers,}relu${block}_1"
    paint "style-$block" --init noise --content-weight 0 --style-layers "$layers"
done

# alpha : beta, from photo to painting, measured at a shallower and a deeper content layer
for layer in relu2_2 relu4_2; do
    for beta in 0.1 1 10 100; do
        paint "grid-$layer-$beta" --content-layers "$layer" --style-weight "$beta" \
            --variation-weight 0.1
    done
done

# coarse to fine, with the steps as an animation, and in the photo's own colours
if [ ! -e "$folder/painted.png" ]; then
    impasto paint "$photo" "$painting" --vgg "$vgg" -o "$folder/painted.png" \
        --sizes "${SIZE:-128,256}" --steps "${STEPS:-100}" --frames "$folder/steps.webp"
fi
paint painted-color --keep-color

# one sheet for each question
python - "$folder" <<'PYTHON'
import sys
from pathlib import Path

from PIL import Image

folder = Path(sys.argv[1])
betas = ("0.1", "1", "10", "100")
sheets = {
    "content-layers": [[f"content-{block}" for block in range(1, 6)]],
    "style-layers": [[f"style-{block}" for block in range(1, 6)]],
    "alpha-beta": [[f"grid-{layer}-{b}" for b in betas] for layer in ("relu2_2", "relu4_2")],
}
for name, rows in sheets.items():
    tiles = [[Image.open(folder / f"{tile}.png") for tile in row] for row in rows]
    width, height = tiles[0][0].size
    sheet = Image.new("RGB", (len(rows[0]) * (width + 4) - 4, len(rows) * (height + 4) - 4), "white")
    for y, row in enumerate(tiles):
        for x, tile in enumerate(row):
            sheet.paste(tile, (x * (width + 4), y * (height + 4)))
    sheet.save(folder / f"style-transfer-{name}.jpg", quality=88)
PYTHON
