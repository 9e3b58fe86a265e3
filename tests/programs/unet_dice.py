# ruff: noqa: F401, F403, F405, I001, PT018
"""A U-Net with a Dice loss, star imports, Keras 1 arguments and .hdf5 checkpoints."""

import numpy as np
from keras.models import *
from keras.layers import *
from keras.optimizers import *
from keras.callbacks import ModelCheckpoint, LearningRateScheduler
from keras import backend as keras
from keras import backend as K

smooth = 1.0


def dice_coef(y_true, y_pred):
    y_true_f = K.flatten(y_true)
    y_pred_f = K.flatten(y_pred)
    intersection = K.sum(y_true_f * y_pred_f)
    return (2.0 * intersection + smooth) / (K.sum(y_true_f) + K.sum(y_pred_f) + smooth)


def dice_coef_loss(y_true, y_pred):
    return -dice_coef(y_true, y_pred)


def iou(y_true, y_pred):
    inter = K.sum(K.abs(y_true * y_pred), axis=[1, 2, 3])
    union = K.sum(y_true, [1, 2, 3]) + K.sum(y_pred, [1, 2, 3]) - inter
    return K.mean((inter + smooth) / (union + smooth), axis=0)


def unet(input_size=(16, 16, 1)):
    inputs = Input(input_size)
    conv1 = Conv2D(4, 3, activation="relu", padding="same", kernel_initializer="he_normal")(inputs)
    pool1 = MaxPooling2D(pool_size=(2, 2))(conv1)
    conv4 = Conv2D(8, 3, activation="relu", padding="same", kernel_initializer="he_normal")(pool1)
    drop4 = Dropout(0.5)(conv4)
    up = Conv2D(4, 2, activation="relu", padding="same", kernel_initializer="he_normal")(
        UpSampling2D(size=(2, 2))(drop4)
    )
    merge9 = concatenate([conv1, up], axis=3)
    up2 = concatenate([Conv2DTranspose(4, (2, 2), strides=(2, 2), padding="same")(drop4), conv1], axis=3)
    m = Add()([Conv2D(2, 1)(merge9), Conv2D(2, 1)(up2)])
    conv10 = Conv2D(1, 1, activation="sigmoid")(m)
    model = Model(input=inputs, output=conv10)
    model.compile(optimizer=Adam(lr=1e-4), loss=dice_coef_loss, metrics=[dice_coef, iou, "accuracy"])
    return model


m = unet()
r = np.random.RandomState(0)
x = r.rand(16, 16, 16, 1)
y = (x > 0.5).astype("float32")
ck = ModelCheckpoint("unet.hdf5", monitor="loss", verbose=1, save_best_only=True)
h = m.fit(x, y, batch_size=4, nb_epoch=2, verbose=1, validation_split=0.2, shuffle=True, callbacks=[ck])
assert sorted(h.history)[:3] == ["accuracy", "dice_coef", "iou"]
del m
m = load_model(
    "unet.hdf5", custom_objects={"dice_coef_loss": dice_coef_loss, "dice_coef": dice_coef, "iou": iou}
)
assert m.predict(x, batch_size=4, verbose=1).shape == (16, 16, 16, 1) and len(m.evaluate(x, y)) == 4
m.save_weights("w.h5")
m.load_weights("w.h5")
