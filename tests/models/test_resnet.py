from boneage.models.registry import build_model


def test_resnet34_has_3_4_6_3_blocks_with_attention():
    model = build_model("resnet34_cbam", input_size=32)
    names = {layer.name for layer in model.layers}
    for stage, blocks in enumerate((3, 4, 6, 3), start=1):
        for kind in ("channel", "spatial"):
            found = {n for n in names if n.startswith(f"stage{stage}_") and f"{kind}_att" in n}
            assert found == {
                f"stage{stage}_block{b}_{kind}_attention" for b in range(1, blocks + 1)
            }


def test_attention_weighs_the_residual_branch_and_not_the_shortcut():
    model = build_model("tiny_resnet_cbam")
    shortcut, branch = model.get_layer("stage2_block1_add").input
    assert branch is model.get_layer("stage2_block1_spatial_weighted").output
    assert shortcut is model.get_layer("stage2_block1_shortcut_bn").output
