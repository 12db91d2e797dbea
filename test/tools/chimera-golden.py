"""Writes test/fixtures/chimera-golden.safetensors: chimeras of the shipped organisms, computed by NumPy in float64,
independently of the engines. Run it after the checkpoint has changed: python3 test/tools/chimera-golden.py"""

import json
import struct
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
SIDE, CHANNELS, HIDDEN, EXPRESSED = 32, 32, 80, 4
GENOMES = {"two": (0, 100), "four": (0, 100, 200, 300)}


def read(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[8 + size :][slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"]).astype(float)
        for name, entry in header.items()
    }


def write(path, tensors):
    header, body = {}, b""
    for name, values in tensors.items():
        piece = np.ascontiguousarray(values, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [len(body), len(body) + len(piece)]}
        body += piece
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


W = {name.removeprefix("update."): values for name, values in read(ROOT / "checkpoints/organisms/model.safetensors").items()}
UPDATE = json.loads((ROOT / "checkpoints/organisms/card.json").read_text())["update"]


def stepped(state, latent):
    """One step of all cells [s, s, C] by one genome."""
    side = len(state)
    inner = latent @ W["genome.kernel"] + W["genome.bias"]
    inner = np.where(inner > 0, inner, np.expm1(inner))
    genome = (inner @ W["modulation.kernel"] + W["modulation.bias"]) * UPDATE["genome"]["gain"]
    shift, scale, hidden_shift, out_shift, own = np.split(genome, np.cumsum([HIDDEN, HIDDEN, HIDDEN, CHANNELS]))
    around = np.pad(state, ((1, 1), (1, 1), (0, 0)))
    seen = W["perceive.bias"] + shift
    for y in range(3):
        for x in range(3):
            seen = seen + around[y : y + side, x : x + side] @ W["perceive.kernel"][y, x]
    cells = np.maximum(seen, 0)
    inner = (cells @ W["hidden.kernel"] + W["hidden.bias"]) * (1 + scale) + hidden_shift
    cells = cells + np.maximum(inner, 0)
    change = cells @ W["out.kernel"] + W["out.bias"] + out_shift
    change[..., :EXPRESSED] += cells @ own.reshape(HIDDEN, EXPRESSED)
    return np.clip(state * (1 - UPDATE["leak"]) + change, -UPDATE["stateLimit"], UPDATE["stateLimit"])


def weights_of(labels, genome, side):
    """How much a genome counts for each cell [s, s]."""
    blur = np.array([1, 4, 6, 4, 1]) / 16
    padded = np.pad((labels == genome).astype(float), 2, mode="edge")
    rows = sum(factor * padded[i : i + SIDE] for i, factor in enumerate(blur))
    both = sum(factor * rows[:, i : i + SIDE] for i, factor in enumerate(blur))
    return both.reshape(side, SIDE // side, side, SIDE // side).mean(axis=(1, 3))


y, x = np.mgrid[0:SIDE, 0:SIDE]
LABELS = {"two": np.where(x < 13, 0, 1), "four": np.where((x - 20) ** 2 + (y - 9) ** 2 < 20, 3, 1 * (y >= 16) + (y + x >= 36))}
CLOSED = ((x >= 24) & (y >= 20)) | (x < 2)
latents = W["gallery.latents"]
golden = {"closed": CLOSED, **{f"labels_{name}": labels for name, labels in LABELS.items()}}
for name, genomes in GENOMES.items():
    golden[f"latents_{name}"] = latents[list(genomes)]
    state = np.tile(latents[genomes[0]][:CHANNELS], (2, 2, 1))
    for step in range(40):
        if step in (8, 16, 24, 32):
            state = state.repeat(2, axis=0).repeat(2, axis=1)
        side = len(state)
        # The one of four grows beside closed places, once it has 16×16 cells.
        is_open = np.ones((side, side, 1))
        if name == "four" and side >= 16:
            is_open = 1 - CLOSED[:: SIDE // side, :: SIDE // side, None]
        state = state * is_open
        state = is_open * sum(
            weights_of(LABELS[name], i, side)[..., None] * stepped(state, latents[genome]) for i, genome in enumerate(genomes)
        )
        if name == "four" and step == 31:
            golden["growing_four"] = state
    golden[f"grown_{name}"] = state
write(ROOT / "test/fixtures/chimera-golden.safetensors", golden)
