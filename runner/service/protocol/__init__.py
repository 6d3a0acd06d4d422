"""The Open Inference Protocol v2 over HTTP: bytes to tensors and back, without a socket.

The protocol: https://github.com/kserve/open-inference-protocol; its extensions are Triton's:
https://github.com/triton-inference-server/server/tree/main/docs/protocol
"""
