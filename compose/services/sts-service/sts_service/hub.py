"""The model hub, from which models by name are loaded."""

ANSWER_TIMEOUT_S = 10.0
"""How long a hub, or any other place that a model comes from, may take to answer, before anything is loaded from it."""


def ask(repository: str) -> None:
    """One short question: a hub that does not answer is found out at once, where a download may take minutes.

    Raises what huggingface_hub raises: HfHubHTTPError, or an error of the connection.
    """
    from huggingface_hub import HfApi

    HfApi().model_info(repository, timeout=ANSWER_TIMEOUT_S)
