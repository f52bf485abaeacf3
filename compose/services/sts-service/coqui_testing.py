"""A Coqui model for tests, where the library is installed."""

from pathlib import Path


def make_vits(folder: Path) -> Path:
    """A small VITS with random weights, made by the library: it speaks noise, but it is loaded as any other is."""
    import torch
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits

    config = VitsConfig(use_phonemes=False)
    sizes = config.model_args
    sizes.hidden_channels = 16
    sizes.hidden_channels_ffn_text_encoder = 32
    sizes.num_layers_text_encoder = sizes.num_layers_flow = sizes.num_layers_posterior_encoder = 1
    sizes.upsample_initial_channel_decoder = 64
    sizes.init_discriminator = False
    torch.manual_seed(0)
    file = folder / "model.pth"
    config.save_json(str(folder / "config.json"))
    torch.save({"model": Vits(config).state_dict()}, file)
    return file
