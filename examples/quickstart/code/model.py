"""A tiny language model: two characters of context, an embedding each, and a softmax over the next one.

The standard library alone; the same seed gives the same weights, bit for bit.
"""
import math
import random


class Model:
    def __init__(self, size, seed=0, weights=None):
        self.size = size
        if weights:
            self.first, self.second, self.bias = weights
            return
        source = random.Random(seed)
        row = lambda: [source.gauss(0, 0.01) for _ in range(size)]
        self.first = [row() for _ in range(size)]
        self.second = [row() for _ in range(size)]
        self.bias = [0.0] * size

    def probabilities(self, before, last):
        first, second = self.first[before], self.second[last]
        scores = [a + b + c for a, b, c in zip(first, second, self.bias)]
        top = max(scores)
        powers = [math.exp(score - top) for score in scores]
        total = sum(powers)
        return [power / total for power in powers]

    def learn(self, before, last, following, rate):
        found = self.probabilities(before, last)
        first, second, bias = self.first[before], self.second[last], self.bias
        for letter in range(self.size):
            step = rate * (found[letter] - (letter == following))
            first[letter] -= step
            second[letter] -= step
            bias[letter] -= step
        return -math.log(max(found[following], 1e-12))

    def loss(self, tokens):
        total = 0.0
        for before, last, following in zip(tokens, tokens[1:], tokens[2:]):
            total -= math.log(max(self.probabilities(before, last)[following], 1e-12))
        return total / max(1, len(tokens) - 2)

    def weights(self):
        rounded = lambda rows: [[round(value, 6) for value in row] for row in rows]
        return [rounded(self.first), rounded(self.second), [round(value, 6) for value in self.bias]]
