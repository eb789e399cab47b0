# SPDX-License-Identifier: Apache-2.0
"""The networks of networks.py in Keras. MobileNetV2 is keras.applications'.

    keras_networks.py NETWORK...    prints {network: parameters} for ten classes, BatchNorm's running statistics not counted
"""

import json
import math
import sys

import keras
from keras import layers


def conv(x, filters, bias=True):
    return layers.Conv2D(filters, 3, padding="same", use_bias=bias)(x)


def norm(x, **settings):
    return layers.BatchNormalization(**{"momentum": 0.9, "epsilon": 1e-5, **settings})(x)


def dense_head(x, hidden, classes):
    x = layers.Dense(hidden, activation="relu")(layers.Flatten()(x))
    return layers.Dense(classes)(layers.Dropout(0.5)(x))


def pooled_head(x, classes, factor):
    return layers.Rescaling(factor)(layers.Dense(classes, use_bias=False)(layers.GlobalMaxPooling2D()(x)))


def improved_cnn(x, classes):
    for filters in (32, 64, 64):
        x = layers.MaxPooling2D()(layers.ReLU()(conv(x, filters)))
    return dense_head(x, 512, classes)


def three_block_cnn(x, classes):
    for filters in (32, 64, 128):
        x = layers.MaxPooling2D()(norm(layers.ReLU()(conv(x, filters)), epsilon=1e-3, momentum=0.99))
    return dense_head(x, 256, classes)


def resnet9(x, classes):
    def block(x, filters):
        return layers.ReLU()(norm(conv(x, filters, bias=False)))

    def residual(x, filters):
        return layers.Add()([x, block(block(x, filters), filters)])

    x = layers.MaxPooling2D()(block(block(x, 64), 128))
    x = layers.MaxPooling2D()(block(residual(x, 128), 256))
    x = layers.MaxPooling2D()(block(x, 512))
    return pooled_head(residual(x, 512), classes, 0.125)


def airbench94(x, classes):
    x = layers.Activation("gelu")(layers.Conv2D(24, 2, trainable=False)(x))
    for filters in (64, 256, 256):
        for pool in (True, False):
            x = conv(x, filters, bias=False)
            x = layers.MaxPooling2D()(x) if pool else x
            x = layers.Activation("gelu")(norm(x, scale=False, epsilon=1e-12, momentum=0.6))
    return pooled_head(x, classes, 1 / 9)


def mobilenet_v2(x, classes):
    body = keras.applications.MobileNetV2(input_shape=x.shape[1:], include_top=False, weights=None, pooling="avg")
    return layers.Dense(classes)(layers.Dropout(0.2)(body(x)))


NETWORKS = {"improved-cnn": improved_cnn, "three-block-cnn": three_block_cnn, "resnet9": resnet9, "airbench94": airbench94,
            "mobilenet-v2": mobilenet_v2}


def build(name, classes):
    side = 224 if name == "mobilenet-v2" else 32
    images = keras.Input((side, side, 3))
    return keras.Model(images, NETWORKS[name](images, classes))


def parameters(model):
    return sum(math.prod(v.shape) for v in model.weights if "moving" not in v.path and "seed" not in v.path)


if __name__ == "__main__":
    print(json.dumps({name: parameters(build(name, 10)) for name in sys.argv[1:]}))
