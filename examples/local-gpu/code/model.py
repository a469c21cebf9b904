"""A small transformer over characters."""
import torch
from torch import nn
from torch.nn import functional


class Model(nn.Module):
    def __init__(self, letters, width=128, heads=4, layers=2, context=64):
        super().__init__()
        self.settings = {"letters": letters, "width": width, "heads": heads, "layers": layers, "context": context}
        self.context = context
        self.letter = nn.Embedding(letters, width)
        self.place = nn.Embedding(context, width)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, letters)

    def forward(self, tokens):
        length = tokens.shape[1]
        places = torch.arange(length, device=tokens.device)
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=tokens.device)
        return self.head(self.layers(self.letter(tokens) + self.place(places), mask=mask, is_causal=True))

    def loss(self, tokens):
        found = self(tokens[:, :-1])
        return functional.cross_entropy(found.flatten(0, 1), tokens[:, 1:].flatten())
