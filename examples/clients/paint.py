"""Paint a photo with Triton's own client: pip install 'tritonclient[http]' Pillow.

python examples/clients/paint.py examples/photos/coffee.jpg painted.png
"""

import argparse

import numpy as np
from PIL import Image
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput


def main() -> None:
    """Send one photo as a binary tensor and write the tensor that comes back."""
    parser = argparse.ArgumentParser(description="Paint a photo with Triton's own client.")
    parser.add_argument("photo")
    parser.add_argument("painting")
    parser.add_argument("--server", default="127.0.0.1:8000")
    parser.add_argument("--model", default="style-fast")
    parser.add_argument("--style", type=int, default=0, help="Number of the style, from 0.")
    options = parser.parse_args()

    client = InferenceServerClient(options.server)
    metadata = client.get_model_metadata(options.model)
    shapes = {tensor["name"]: tensor["shape"] for tensor in metadata["inputs"]}

    pixels = np.asarray(Image.open(options.photo).convert("RGB"))[None]
    weights = np.zeros((1, shapes["style_weights"][1]), np.float32)
    weights[0, options.style] = 1

    image = InferInput("image", list(pixels.shape), "UINT8")
    image.set_data_from_numpy(pixels)
    style = InferInput("style_weights", list(weights.shape), "FP32")
    style.set_data_from_numpy(weights)
    wanted = [InferRequestedOutput("stylized", binary_data=True)]
    result = client.infer(options.model, [image, style], outputs=wanted, timeout=60_000_000)
    Image.fromarray(result.as_numpy("stylized")[0]).save(options.painting)

    (counts,) = client.get_inference_statistics(options.model)["model_stats"]
    print(f"{options.painting}: painted by {options.model} {counts['version']}")
    client.close()


if __name__ == "__main__":
    main()
