# SPDX-License-Identifier: Apache-2.0
"""A recipe's training in Keras on TensorFlow: its network, augmentation, loss, optimiser and batch.

    keras_train.py JOB    prints {"images_per_second", "peak_mib", "parameters"}

JOB as torch_train.py's. compile() and fit() with their defaults (float32, jit_compile="auto"); tf.data shuffles, changes whole batches in
parallel (flip and shift by one look-up each way, rotation and zoom by Keras's layers) and prefetches.
"""

import json
import os
import sys
import time

import keras
import numpy as np
import tensorflow as tf

from keras_networks import build, parameters
from window import Window, own_peak_mib


def lines(count, side, padding, mirrored):
    """Which row or column of its image each one of the result is."""
    wanted = tf.range(side) + tf.random.uniform((count, 1), -padding, padding + 1, tf.int32)
    reflected = (side - 1) - tf.abs((side - 1) - tf.abs(wanted))
    return tf.where(tf.random.uniform((count, 1)) < 0.5, reflected, reflected[:, ::-1]) if mirrored else reflected


def holes(count, side, size):
    offset = tf.range(side) - tf.random.uniform((2, count, 1), 0, side, tf.int32)
    inside = (offset >= -(size // 2)) & (offset < size // 2)
    return (inside[0][:, :, None] & inside[1][:, None, :])[..., None]


def batches(job):
    recipe = job["recipe"]
    augmentation, preprocess, count = recipe["augmentation"], recipe["preprocess"], recipe["batch_size"]
    pixels = np.load(job["images"], mmap_mode="r")
    side, padding = pixels.shape[1], augmentation.get("crop_padding", 0)
    mean, stddev = (np.array(preprocess.get(key, [value] * 3), np.float32) for key, value in (("mean", 0.0), ("stddev", 1.0)))
    turn = keras.Sequential([keras.layers.RandomRotation(augmentation["rotation"], fill_mode="reflect"),
                             keras.layers.RandomZoom(augmentation["zoom"], fill_mode="reflect")]) if "rotation" in augmentation else None

    def changed(images, labels):
        if padding:
            images = tf.gather(images, lines(count, side, padding, False), axis=1, batch_dims=1)
        images = tf.gather(images, lines(count, side, padding, True), axis=2, batch_dims=1)
        images = (tf.cast(images, tf.float32) / 255 - mean) / stddev
        if turn:
            images = turn(images, training=True)
        if "cutout" in augmentation:
            images = tf.where(holes(count, side, augmentation["cutout"]), 0.0, images)
        return images, labels

    data = tf.data.Dataset.from_tensor_slices((pixels, np.arange(len(pixels)) % job["classes"]))
    return data.shuffle(min(len(pixels), 10_000)).repeat().batch(count, drop_remainder=True).map(changed, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def optimizer_of(recipe):
    settings, schedule = recipe["optimizer"], recipe["schedule"]
    rate = schedule["peak"] * schedule.get("start_factor", 1.0)
    if settings["kind"] == "adam":
        return keras.optimizers.Adam(rate, epsilon=settings.get("eps", 1e-8))
    return keras.optimizers.SGD(rate, momentum=settings["momentum"], nesterov=True, weight_decay=settings["weight_decay"])


class Measure(keras.callbacks.Callback):
    def __init__(self, job):
        super().__init__()
        self.window, self.step, self.batch_size = Window(job["seconds"]), 0, job["recipe"]["batch_size"]

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.window.note(self.step, time.perf_counter()):
            print(json.dumps({"images_per_second": self.window.steps_per_second() * self.batch_size, "peak_mib": own_peak_mib(),
                              "parameters": parameters(self.model)}), flush=True)
            os._exit(0)


def main():
    job = json.loads(sys.argv[1])
    recipe = job["recipe"]
    model = build(recipe["architecture"]["name"], job["classes"])
    smoothing = recipe.get("loss", {}).get("label_smoothing", 0.0)
    if smoothing:  # the sparse loss has none
        loss = lambda truth, logits: keras.losses.categorical_crossentropy(  # noqa: E731
            keras.ops.one_hot(keras.ops.reshape(truth, (-1,)), job["classes"]), logits, from_logits=True, label_smoothing=smoothing)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer_of(recipe), loss)
    model.fit(batches(job), steps_per_epoch=1_000_000, verbose=0, callbacks=[Measure(job)])


if __name__ == "__main__":
    main()
