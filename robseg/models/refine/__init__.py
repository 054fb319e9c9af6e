"""SegFix's refinement: labels at boundaries move in from a little inside their region.

Yuan, Xie, Chen, Wang, 2020, https://arxiv.org/abs/2007.04269. An offset (dy, dx) at each pixel says where the
inside lies: predicted by a network from the image alone (`predict`), or read from a file (`files`). `gather`
moves the labels, `model` is a model of such labels, `options` what a user asks for, `targets` what such a
network learns from.
"""
