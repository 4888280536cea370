"""Exports one Keras network with tf2onnx: export_keras.py NAME EXPORTER MODEL.onnx INPUTS.npz"""
import sys

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from keras import layers

OPSET = 18


def convolved(x, filters, size, **options):
    x = layers.Conv2D(filters, size, padding="same", use_bias=False, **options)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def upsampled(x, factor):
    return layers.UpSampling2D(factor, interpolation="bilinear")(x)


def resnet50():
    return keras.applications.ResNet50(weights=None, input_shape=(224, 224, 3), classifier_activation=None)


def pspnet():
    """ResNet-50 up to stride 16, a pyramid of 1, 2, 4 and 8 bins (Zhao et al. 2017)."""
    body = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(256, 256, 3))
    features = body.get_layer("conv4_block6_out").output
    levels = [features]
    for bins in (1, 2, 4, 8):
        window = features.shape[1] // bins
        level = convolved(layers.AveragePooling2D(window)(features), 256, 1)
        levels.append(upsampled(level, window))
    x = convolved(layers.Concatenate()(levels), 256, 3)
    return keras.Model(body.input, layers.Softmax()(upsampled(layers.Conv2D(21, 1)(x), 16)))


def separable(x, filters, rate):
    x = layers.DepthwiseConv2D(3, padding="same", dilation_rate=rate, use_bias=False)(x)
    return convolved(layers.ReLU()(layers.BatchNormalization()(x)), filters, 1)


def deeplabv3plus():
    """MobileNetV2 at stride 16 with atrous separable convolutions, and the decoder (Chen et al. 2018)."""
    body = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(256, 256, 3))
    low = body.get_layer("block_3_expand_relu").output
    high = body.get_layer("block_13_expand_relu").output
    pooled = convolved(layers.GlobalAveragePooling2D(keepdims=True)(high), 256, 1)
    branches = [convolved(high, 256, 1), *(separable(high, 256, rate) for rate in (6, 12, 18))]
    branches.append(upsampled(pooled, high.shape[1]))
    x = upsampled(convolved(layers.Concatenate()(branches), 256, 1), 4)
    x = layers.Concatenate()([x, convolved(low, 48, 1)])
    x = separable(separable(x, 256, 1), 256, 1)
    return keras.Model(body.input, upsampled(layers.Conv2D(21, 1)(x), 4))


MODELS = {"keras_resnet50": resnet50, "keras_pspnet": pspnet, "keras_deeplabv3plus": deeplabv3plus}


def randomize(model, rng):
    """Statistics as after training: trivial ones would hide a wrong fold."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            size = layer.moving_mean.shape
            for variable, low, high in ((layer.moving_mean, -.2, .2), (layer.moving_variance, .6, 1.6),
                                        (layer.gamma, .6, 1.2), (layer.beta, -.2, .2)):
                if variable is not None:
                    variable.assign(rng.uniform(low, high, size))


def main(name, exporter, path, inputs):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    model = MODELS[name]()
    randomize(model, rng)
    signature = tf.TensorSpec((None, *model.input.shape[1:]), tf.float32, name="input")

    @tf.function(input_signature=[signature])
    def call(input):
        return model(input, training=False)

    tf2onnx.convert.from_function(call, [signature], opset=OPSET, output_path=path)
    np.savez(inputs, input=rng.standard_normal((1, *model.input.shape[1:]), dtype=np.float32))


if __name__ == "__main__":
    main(*sys.argv[1:])
