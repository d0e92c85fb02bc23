"""The image quality check: is this an image to predict?"""
