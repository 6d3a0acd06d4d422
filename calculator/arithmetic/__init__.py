"""Integer expressions and the formulas made of them."""
