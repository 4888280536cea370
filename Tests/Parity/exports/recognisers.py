"""Text recognition: convolutions, a bidirectional LSTM and a classifier of each column (Shi et al. 2015)."""
from torch import nn

from example import Example, image


class CRNN(nn.Module):
    def __init__(self, classes=37):
        super().__init__()
        widths, layers = [1, 64, 128, 256, 256, 512, 512], []
        pools = [(2, 2), (2, 2), None, (2, 1), None, (2, 1)]
        for before, after, pool in zip(widths, widths[1:], pools):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.MaxPool2d(pool)] if pool else []
        self.convolutions = nn.Sequential(*layers, nn.Conv2d(512, 512, (2, 1)), nn.ReLU())
        self.recurrent = nn.LSTM(512, 256, num_layers=2, bidirectional=True)
        # Wider than by default, as after training: the columns differ.
        for parameter in self.recurrent.parameters():
            nn.init.uniform_(parameter, -.15, .15)
        self.classifier = nn.Linear(512, classes)

    def forward(self, input):
        columns = self.convolutions(input).squeeze(2).permute(2, 0, 1)
        return self.classifier(self.recurrent(columns)[0])


def crnn():
    return Example(CRNN(), image(2, 1, 32, 100), ["logits"], {"input": {3: "width"}}, image(2, 1, 32, 132))


MODELS = {"crnn": crnn}
