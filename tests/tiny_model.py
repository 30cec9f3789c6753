"""A language model of a quarter megabyte that says what a test wants, made on the spot.

It is a Mamba of one layer that adds nothing: the next token follows from the last one alone, by a
table that is written into the output matrix. No weights are downloaded. A prompt counts one token
for each byte and one for its start, and takes time by its length, not by the square of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import gguf
import numpy as np
import numpy.typing as npt

UNKNOWN, START, END, BYTES = 0, 1, 2, 3  # ids; one token for each byte begins at BYTES
SPACE = "\u2581"  # how a vocabulary of this kind spells it
CHARACTERS = " abcdefghijklmnopqrstuvwxyz"  # no more than llama.cpp's sampler keeps (40)
PIECES = 32  # an answer is at most so many tokens, whatever its length
SHORTEST = 3  # characters of a piece, where there is more than one
WIDTH = 64  # of an embedding: one place for the prompt, one for each piece
FIRM = 6.0  # leaves every other token less than one chance in 10^19
CONTEXT = 1 << 20

# A line for each message, and one to answer on: a prompt never ends in a piece of the answer.
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)

Matrix = npt.NDArray[np.float32]


class Token(NamedTuple):
    text: str
    kind: gguf.TokenType


def saying(path: Path, reply: str) -> None:
    """Make a model that answers anything with `reply` and stops; with nothing where it is empty."""
    pieces = [_normal(text) for text in _pieces(reply)]
    first = len(_alphabet())
    _write(path, pieces, [*([first + n] for n in range(len(pieces))), [END]])


def rambling(path: Path) -> None:
    """Make a model that says letters at random and never stops."""
    _write(path, [], [[BYTES + ord(one) for one in CHARACTERS]])


def _pieces(reply: str) -> Iterator[str]:
    """`reply`, cut so that no two pieces are alike: each is longer than the one before it."""
    size = max(SHORTEST, len(reply) // PIECES)
    while reply:
        cut = size if len(reply) > 2 * size else len(reply)
        yield reply[:cut]
        reply, size = reply[cut:], size + 1


def _alphabet() -> list[Token]:
    special = [
        Token("<unk>", gguf.TokenType.UNKNOWN),
        Token("<s>", gguf.TokenType.CONTROL),
        Token("</s>", gguf.TokenType.CONTROL),
    ]
    each = [Token(f"<0x{byte:02X}>", gguf.TokenType.BYTE) for byte in range(256)]
    return [*special, *each, _normal(" ")]


def _normal(text: str) -> Token:
    """A token that no prompt is made of: those grow by pairs, and none of three begins as one."""
    return Token(text.replace(" ", SPACE), gguf.TokenType.NORMAL)


def _write(path: Path, pieces: list[Token], after: Sequence[Sequence[int]]) -> None:
    """A model of `after`: the tokens that may follow on the prompt, on the first piece, and so on.

    Of several each is as likely as the others.
    """
    tokens = [*_alphabet(), *pieces]
    writer = gguf.GGUFWriter(path, "mamba")
    _describe(writer)
    _add_vocabulary(writer, tokens)
    for name, matrix in _tensors(len(tokens), after):
        writer.add_tensor(name, matrix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter) -> None:
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_ssm_inner_size(2 * WIDTH)  # llama.cpp takes no other
    writer.add_ssm_conv_kernel(2)
    writer.add_ssm_state_size(1)
    writer.add_ssm_time_step_rank(1)


def _add_vocabulary(writer: gguf.GGUFWriter, tokens: list[Token]) -> None:
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token.text for token in tokens])
    writer.add_token_types([token.kind for token in tokens])
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_unk_token_id(UNKNOWN)
    writer.add_bos_token_id(START)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)


def _tensors(size: int, after: Sequence[Sequence[int]]) -> Iterator[tuple[str, Matrix]]:
    yield "token_embd.weight", _places(size, len(after) - 1)
    yield "output_norm.weight", np.ones(WIDTH, np.float32)
    yield "output.weight", _table(size, after)
    yield "blk.0.attn_norm.weight", np.ones(WIDTH, np.float32)
    for name, shape in _idle().items():
        yield f"blk.0.{name}", np.zeros(shape, np.float32)


def _places(size: int, pieces: int) -> Matrix:
    """Where each token is: the last `pieces` have a place of their own, all others share one."""
    matrix = np.zeros((size, WIDTH), np.float32)
    matrix[: size - pieces, 0] = 1
    for place in range(1, pieces + 1):
        matrix[size - pieces + place - 1, place] = 1
    return matrix


def _table(size: int, after: Sequence[Sequence[int]]) -> Matrix:
    matrix = np.zeros((size, WIDTH), np.float32)
    for place, tokens in enumerate(after):
        matrix[tokens, place] = FIRM
    return matrix


def _idle() -> dict[str, tuple[int, ...]]:
    """The tensors of the layer, which are all zeros."""
    inner = 2 * WIDTH
    return {
        "ssm_in.weight": (2 * inner, WIDTH),
        "ssm_conv1d.weight": (inner, 2),
        "ssm_conv1d.bias": (inner,),
        "ssm_x.weight": (3, inner),
        "ssm_dt.weight": (inner, 1),
        "ssm_dt.bias": (inner,),
        "ssm_a": (inner, 1),
        "ssm_d": (inner,),
        "ssm_out.weight": (WIDTH, inner),
    }
