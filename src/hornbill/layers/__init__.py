"""The layers, one module per family."""

from hornbill.layers.activation import *
from hornbill.layers.adaptive_pooling import *
from hornbill.layers.attention import *
from hornbill.layers.batch_normalization import *
from hornbill.layers.conv import *
from hornbill.layers.conv_lstm import *
from hornbill.layers.conv_transpose import *
from hornbill.layers.core import *
from hornbill.layers.dense import *
from hornbill.layers.depthwise import *
from hornbill.layers.dropout import *
from hornbill.layers.einsum_dense import *
from hornbill.layers.embedding import *
from hornbill.layers.global_pooling import *
from hornbill.layers.identifiers import *
from hornbill.layers.input import *
from hornbill.layers.merge import *
from hornbill.layers.normalization import *
from hornbill.layers.padding import *
from hornbill.layers.pooling import *
from hornbill.layers.recurrent import *
from hornbill.layers.reshape import *
from hornbill.layers.rnn_cells import *
from hornbill.layers.upsampling import *
from hornbill.layers.wrappers import *
