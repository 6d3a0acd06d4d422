"""Style networks at lower precision: convolutions in eight or sixteen bits, the rest in float32."""
