"""Simplified Chinese: the templates of every sentence in the field's usual terms, and the words for axes and weights."""

from __future__ import annotations

__all__ = ["AXES", "TEMPLATES"]

AXES: dict[str, str] = {
    "batch": "批量", "height": "高", "width": "宽", "depth": "深", "channels": "通道", "steps": "时间步",
    "features": "特征", "elements": "元素", "axes": "轴", "query steps": "查询步", "units": "单元",
    "filters": "滤波器", "kernel height": "卷积核高", "kernel width": "卷积核宽", "kernel depth": "卷积核深",
    "kernel steps": "卷积核长", "input channels": "输入通道", "input channels per group": "每组输入通道",
    "input features": "输入特征", "output channels": "输出通道", "depth multiplier": "深度乘数", "heads": "注意力头",
    "key features": "键特征", "value features": "值特征", "output features": "输出特征", "gates x units": "门 x 单元",
    "gates x filters": "门 x 滤波器", "depthwise channels": "逐通道特征", "units before": "前一步单元",
    "filters before": "前一步滤波器", "input and recurrent": "输入与循环", "one row": "一行", "columns": "列", "time": "时间",
    "input": "输入", "output": "输出", "elided": "省略轴", "axis": "轴", "input_dim": "词表", "output_dim": "嵌入维度",
    "moving_stddev": "滑动标准差", "renorm_mean": "再归一化均值", "renorm_stddev": "再归一化标准差", "scale": "缩放",
    "concat_score_weight": "拼接打分权重",
    "categories": "类别", "vocabulary": "词表", "kernel": "卷积核", "bias": "偏置", "gamma": "缩放 gamma",
    "beta": "平移 beta", "moving_mean": "滑动均值", "moving_variance": "滑动方差", "embeddings": "嵌入表",
    "depthwise_kernel": "逐通道卷积核", "pointwise_kernel": "逐点卷积核", "recurrent_kernel": "循环权重",
    "alpha": "斜率 alpha", "sequences": "序列", "samples": "样本",
}  # fmt: skip

TEMPLATES: dict[str, str] = {
    "where": "{said}，其中 n 是{n}",
    # 窗口：卷积与池化。
    "window.valid": "{formula}",
    "window.same": "{formula}（'same'：两侧各填充 {left} 和 {right}）",
    "window.same.unpadded": "{formula}（'same'：无需填充）",
    "window.same.unknown": "{formula}（'same'）",
    "window.filters": "每个滤波器产生一张特征图：{filters} 个滤波器 = {filters} 个通道",
    "transposed.same": "{formula}",
    "transposed.valid": "{formula}",
    "transposed.output_padding": "{formula}，其中 {extra} 是输出填充",
    "transposed.filters": "{filters} 个滤波器 = {filters} 个通道",
    "contraction.last_axis": "最后一个轴：{before} 个特征 x 权重 ({before}, {after}) = {after}",
    "contraction.last_axis.shared": "最后一个轴：{before} 个特征 x 权重 ({before}, {after}) = {after}；其余各轴的"
    "每个位置都用同一组权重",
    "concatenate": "{formula}",
    "reduction": "{op}：消去 {gone}",
    "upsample": "{formula}",
    "pad": "{formula}",
    "transpose": "{moved} 从轴 {place} 移到轴 {to}",
    "gather.row": "每个索引换成一行，共 {after} 个数",
    "attention.queries": "每个查询步产生一个输出：{after}；每个输出查看 {keys} 个键",
    "attention.values": "各个值的加权平均，共 {after} 个特征",
    "split": "{formula}",
}

# 各种排版共用的词语。
TEMPLATES |= {
    "shape": "（{axes}）",
    "shape.axis": "{name}\u00a0{size}",
    "shape.comma": "，\u2060",
    "label.inside": "内部",
    "inside": "由内部的 {count} 行说明",
    "comma": "，",
    "semicolon": "；",
    "and": " 和 ",
    "label": "{label}：",
    "title": "{name}（{kind}）",
    "more": "…… 还有 {count} 条",
    "label.shape": "形状",
    "label.by_op": "{name}，{op}",
    "label.parameters": "参数",
    "label.trainable": "可训练",
    "label.work": "计算量",
    "label.output": "输出",
    "label.receptive_field": "感受野",
    "label.code": "代码",
    "label.mind": "注意",
    "label.together": "合计",
    "label.memory": "一个训练步的内存",
    "column.layer": "层",
    "column.input": "输入",
    "column.output": "输出",
    "column.parameters": "参数",
    "short.count": "{count} 个参数",
    "short.shared": "共享",
    # 参数量、字节、计算量。
    "count.factor": "{size} {name}",
    "count.none": "0，没有权重",
    "count.shared": "与首次调用（{owner}）共享",
    "count.inside": "内部各层的 {arrays} 个数组 = {total}",
    "trained.all": "全部",
    "trained.none": "无：已冻结",
    "trained.some": "{count} 个中的 {trainable} 个",
    "bytes.weights": "权重占 {size}",
    "bytes.output": "每个样本 {size}",
    "work": "每个样本前向 {forward} 次乘加，训练 {training} 次",
    "total.parameters": "{parameters} 个参数，其中 {trainable} 个可训练，{non_trainable} 个不可训练。",
    "memory.parts": "权重 {weights}，梯度 {gradients}，优化器 {optimizer}，激活值每个样本 {activations_per_sample}",
    "memory.parts.assumed": "权重 {weights}，梯度 {gradients}，优化器 {optimizer}（模型尚未编译，按 Adam 计），激活值每个样本 "
    "{activations_per_sample}",
    "memory.peak": "批量为 {batch} 时峰值约 {size}",
    "memory.largest_batch": "{size} 内存最多容纳批量 {batch}",
    # 感受野。
    "field": "一个输出单元能看到 {input} 的 {axes}；相邻单元相距 {jump}，第一个从 {start} 开始",
    "field.whole": "一个输出单元能看到整个 {input}",
    "field.open": "一个输出单元能看到 {input} 的 {axes}",
    "field.uneven": "一个输出单元能看到 {input} 的：{axes}",
    "field.axis": "{extent}（相邻单元相距 {jump}，第一个从 {start} 开始）",
    "field.axis.whole": "{name}的全部",
}

# 常见的误解。
TEMPLATES |= {
    "pitfall.last_axis_is_channels": "输入 {shape} 被读作高 {height}、宽 {width}、通道 {channels}：最后一个轴是通道。"
    "如果 {height} 是深度或通道数，请把它移到最后：Input({moved})，并用 numpy.moveaxis(x, 1, -1) 转换数据。",
    "pitfall.channels_first": "输入 {shape} 被读作高 {height}、宽 {width}、通道 {channels}，但看起来是 {height} 个通道"
    "排在最前。请把通道移到最后：Input({moved})，并用 numpy.moveaxis(x, 1, -1) 转换数据。",
    "pitfall.samples_as_height": "输入 {shape} 被读作高 {height}、宽 {width}、通道 {channels}。如果 {height} 是图像的"
    "张数，请去掉它并加上通道轴：Input({meant})，数据用 x[..., None]。",
    "pitfall.samples_in_shape": "输入形状 {shape} 指的是一个样本。如果 {samples} 是样本数，请去掉它：Input({meant})。",
    "pitfall.dense_on_places": "Dense 只作用于最后一个轴，所以输出 {shape} 仍保留 {places}：每个位置一个答案。如果想"
    "让整张图像只得到一个答案，请在前面加 Flatten() 或 GlobalAveragePooling2D()。",
    "pitfall.softmax_of_one": "只有 1 个单元的 softmax 恒等于 1。判断是或否请用 activation='sigmoid'。",
    "pitfall.size_one": "{gone} 在这里变成 1：之后再没有窗口可以滑动的余地。",
    "pitfall.cells_lost": "{name} {before} 不能整除：只读取 {used} 个，余下的 {lost} 个被丢弃。之后再上采样 {after} 也回不到 "
    "{before}。padding='same' 不会丢弃。",
}

# 讲解：某个概念第一次出现时说明它是什么。
TEMPLATES |= {
    "teach.axes.table": "轴的顺序是批量、特征：每个样本一行，每个特征一列。",
    "teach.axes.sequence": "轴的顺序是批量、时间步、通道。批量在最前，所以 x[0] 就是一整条序列；通道在最后，所以同一时间步的"
    "各个数挨在一起。",
    "teach.axes.image": "轴的顺序是批量、高、宽、通道。批量在最前，所以 x[0] 就是一整张图像；通道（例如红、绿、蓝）在最后，"
    "所以同一位置的各个数挨在一起，一层可以一次把它们与权重相乘。",
    "teach.axes.volume": "轴的顺序是批量、深、高、宽、通道：批量在最前，所以 x[0] 就是一整个三维数据；通道在最后，所以同一"
    "位置的各个数挨在一起。",
    "teach.axes.channels_first": "这个模型把通道放在批量之后（data_format='channels_first'）；通常的顺序是批量、高、宽、"
    "通道。",
    "teach.batch": "None 表示一个批量里的样本数。它不必事先确定，因为任何规则和参数量都与它无关。",
    "teach.kernel": "卷积核是一小块权重，这里是 {kernel}，在输入上（{axes}）滑动。在每个位置，它盖住的输入与权重逐个相乘再"
    "相加，最后加一个偏置，得到输出的一个数。卷积核总是贯穿输入的所有通道，这里是 {channels} 个；层名中的数字就是它滑动"
    "所沿的轴数。",
    "teach.filter": "滤波器就是一个卷积核加上它的偏置。每个滤波器产生一张特征图，也就是输出的一个通道；所以无论输入是"
    "什么，输出都有 {filters} 个通道。",
    "teach.sharing": "每个位置都用同一组权重（权重共享），所以参数量与输入的尺寸无关。",
    "teach.depthwise": "逐通道卷积（深度卷积）给每个通道一个自己的卷积核，不混合通道。",
    "teach.separable": "深度可分离卷积先用一个卷积核单独扫过每个通道（逐通道），再在每个位置用 1 x 1 卷积核混合通道（逐点）。"
    "它需要的权重比普通卷积少得多。",
    "teach.stride": "步幅是窗口从一个位置到下一个位置移动的距离，这里是 {strides}。尺寸会除以步幅。",
    "teach.padding.valid": "padding='valid' 不在输入周围填充：卷积核只在输入内部滑动，所以每个尺寸减少“卷积核尺寸减 1”。",
    "teach.padding.same": "padding='same' 在输入周围填充 0，填到尺寸保持不变（有步幅时，等于尺寸除以步幅并向上取整）。",
    "teach.padding.causal": "padding='causal' 只在第一个时间步之前填充 0，所以任何输出都看不到后面的时间步。",
    "teach.dilation": "膨胀率 {dilation} 把卷积核撑开：它读取的单元之间留有空隙。权重数不变，看得更远（空洞卷积）。",
    "teach.groups": "groups={groups} 把通道分成 {groups} 组，每组有自己的滤波器，只看本组的通道（分组卷积）。",
    "teach.pooling.max": "最大池化用 {kernel} 的窗口单独扫过每个通道，步幅为 {strides}，只留下窗口里最大的数。它没有权重，"
    "通道数不变。",
    "teach.pooling.average": "平均池化用 {kernel} 的窗口单独扫过每个通道，步幅为 {strides}，取窗口里各数的平均值。它没有"
    "权重。",
    "teach.global_pooling.max": "全局最大池化保留每个通道里最大的数：无论输入多大，每个样本得到 {channels} 个数。",
    "teach.global_pooling.average": "全局平均池化对每个通道在所有位置上取平均：无论输入多大，每个样本得到 {channels} 个数。",
    "teach.transposed": "转置卷积反过来做：每个输入单元把自己的数乘以卷积核（{kernel}）铺到输出上，下一个单元再往前移 "
    "{strides}，重叠处相加。所以步幅会使尺寸成倍增大。它的权重数与同样卷积核的普通卷积相同。",
    "teach.upsampling": "上采样把每一行和每一列重复几次（或在其间插值）。它没有权重。",
    "teach.zero_padding": "零填充在输入周围加上若干行和列的 0。",
    "teach.dense": "全连接层有 {units} 个单元。每个单元把全部 {features} 个输入特征各乘以自己的权重后相加，再加一个偏置。",
    "teach.dense.last_axis": "全连接层作用于最后一个轴，因为同一位置的各个数就排在这个轴上。其余各轴保持不变，它们的每个位置都"
    "用同一组 {features} x {units} 权重，与卷积核为 1 x 1 的卷积完全一样。若要让一个单元同时看到所有位置，请在前面加 "
    "Flatten。",
    "teach.flatten": "Flatten 把一个样本的数排成一行，最后一个轴变化最快。它不做任何计算；批量轴不变。",
    "teach.reshape": "Reshape 保持所有数及其顺序不变，只是重新划分各轴。",
    "teach.permute": "Permute 改变轴的顺序；每个数跟着自己的位置移动。",
    "teach.concatenate": "Concatenate 沿一个轴把各输入并排拼接，这个轴的尺寸相加；其余尺寸必须相等。",
    "teach.add": "Add 把各输入逐个数相加，所以它们的形状必须相等。绕过若干层再汇入 Add 的通路叫跳跃连接。",
    "teach.dropout": "Dropout（随机失活）在训练时把随机的 {percent} 的数置 0，并把其余的数放大，使总和大致不变。预测时它什么也"
    "不做。它没有权重。",
    "teach.batch_normalization": "批量归一化把 {channels} 个通道各自在批量的所有样本和所有位置上调整到均值 0、方差 1，再缩放"
    "（gamma）和平移（beta）。gamma 和 beta 可训练；预测时使用的滑动均值和滑动方差只是随训练更新，所以算作不可训练。",
    "teach.layer_normalization": "层归一化把每个样本（或其每个位置）的数调整到均值 0、方差 1，再缩放和平移。它与批量无关。",
    "teach.embedding": "嵌入是一张表，每个词或类别占一行数；每个索引换成它的那一行。",
    "teach.recurrent": "循环层逐步读取序列并保持一个状态，由当前步和前一状态算出。所有步用同一组权重，所以权重数与长度无关。它"
    "输出最后的状态；设 return_sequences=True 则输出全部状态。",
    "teach.bidirectional": "Bidirectional 用一层正向读序列，另一层反向读。",
    "teach.time_distributed": "TimeDistributed 对每一步单独应用内部的层，权重相同。",
    "teach.attention": "注意力使每个输出步成为所有步的值的加权平均；权重取决于查询与键的匹配程度。",
    "teach.activation.relu": "relu 把负数变成 0。如果层与层之间没有这样的非线性函数，连续几层就等于一层。",
    "teach.activation.sigmoid": "sigmoid 把每个数单独压到 0 与 1 之间：表示“是”的概率。",
    "teach.activation.softmax": "softmax 把最后一个轴上的 {units} 个数变成相加为 1 的概率。",
    "teach.activation.tanh": "tanh 把每个数压到 -1 与 1 之间。",
    "teach.receptive_field": "感受野是一个输出单元在模型输入中能看到的部分。每个卷积核都使它增大；步幅使之后所有的卷积核看得"
    "更远。起点小于 0 表示落在填充里。",
}

# 会有什么不同。
TEMPLATES |= {
    "change.title": "若 {asked}，{name} 会有以下不同：",
    "change.nothing": "没有任何不同。",
    "change.unchanged": "其余不变，包括 {count} 层。",
    "change.inputs": "输入",
    "change.outputs": "输出",
    "change.way": "{way}（{times} 倍）",
    "change.total.parameters": "全部参数",
    "change.total.parameters.count": "参数",
    "change.total.trainable": "可训练",
    "change.total.bytes": "权重",
    "change.total.multiply_adds.forward": "前向乘加",
    "change.total.multiply_adds.training": "训练乘加",
    "change.total.activation_bytes": "每个样本的激活值",
    "change.total.memory.peak.bytes": "训练步的峰值内存",
    "change.total.memory.largest_batch": "最大批量",
}

# 其余的规则。
TEMPLATES |= {
    "window.causal": "{formula}（'causal'：前面补 {zeros} 个 0）",
    "window.filters.groups": "每个滤波器产生一张特征图：{filters} 个滤波器分成 {groups} 组 = {filters} 个通道",
    "window.depthwise": "每个通道各有 {multiplier} 个自己的卷积核：{formula}",
    "window.separable": "{filters} 个滤波器混合每个位置的各通道 = {filters} 个通道",
    "window.each_channel": "各通道互不相干：{before} 个通道保持不变",
    "window.patch": "窗口里的单元排在这个轴上：{formula}",
    "window.count": "每个窗口一列：{formula}",
    "window.adaptive": "{before} 个单元分到 {after} 个大小几乎相等的窗口里",
    "window.frames": "{formula} 个窗口",
    "window.frame": "每个窗口 {formula} 个数",
    "window.frames_joined": "各窗口叠放在一起：{formula}",
    "contraction.from": "{after} 个乘积之和，第 {tensor} 个张量的轴 {place} 的每个位置各一个",
    "contraction.summed": "对 {sizes} 求乘积之和",
    "attention.heads": "{after} 个注意力头，各自独立",
    "loop.each_step": "{after} 个时间步各有一个输出",
    "loop.last_step": "{steps} 个时间步中只取最后一步的输出",
    "loop.state": "与单元状态的数一样多：{after}",
    "elementwise": "{op}：形状不变",
    "normalize": "{op}：形状不变，统计量取自 {gone}",
    "normalize.shares": "{op}：形状不变，在 {gone} 上各份相加为 1",
    "broadcast.new": "最前面新增一个轴，尺寸 {after}",
    "broadcast.repeated": "从 {before} 重复到 {after}",
    "axis.moved": "{moved} 原来是轴 {place}，现在是轴 {to}",
    "reshape.flat": "{formula}",
    "reshape.merged": "{formula}",
    "reshape.given": "{after}，按要求：{formula}",
    "reshape.rest": "剩余部分：{formula}",
    "reshape.added": "新增一个尺寸为 {after} 的轴",
    "reshape.dropped": "去掉尺寸为 1 的轴：{gone}",
    "reshape.pattern": "{formula}，按模式 {pattern}",
    "stack": "新增一个轴，{count} 个张量各占一个位置",
    "split.places": "在 {places} 处切开；第一块有 {after}",
    "split.unstack": "{gone} 的每个位置成为一个张量",
    "crop": "{formula}",
    "slice": "{before} 取 [{range}] 后剩 {after}",
    "slice.given": "{before} 中取 {after}，按要求",
    "slice.one": "取 {taken} 的第 {index} 个位置，所以这个轴消失",
    "gather.positions": "{after} 个位置各占一处",
    "one_hot": "{after} 个类别各占一处",
    "resize": "从 {before} 变为 {after}，按要求",
    "reduction.kept": "缩减为 1，因为保留这个轴",
    "diagonal": "对角线：{formula} = {after}",
    "diagonal.matrix": "对角线周围的矩阵：{formula} = {after}",
    "diff": "相邻两数之差：{formula}",
    "given": "{after}，按要求",
    "linalg.size": "{op}：{after}",
    "linalg.number": "{op}：每个 {rows} x {columns} 的矩阵得到一个数",
    "fourier.half": "频率的一半，因为另一半与之对称：{formula}",
    "fourier.full": "{formula}",
    "complex.pair": "实部和虚部",
    "complex.joined": "实部与虚部合成一个数",
}

# 一个轴从哪里来。
TEMPLATES |= {
    "axis.title": "{layer} 的{asked}，一直追溯到输入：",
    "axis.why": "原因",
    "ancestry.input": "{name} {size} 就是输入本身的轴",
    "ancestry.kept": "{name} {size} 就是 {from} 的那个轴",
    "ancestry.moved": "{name} {size} 是 {from} 的轴 {place}，换了位置",
    "ancestry.window": "{name} {size} 沿着 {from} 的 {source} 滑动得到",
    "ancestry.merged": "{name} {size} 包含 {parts} 的所有位置，最后一个变化最快",
    "ancestry.part": "{name} {size} 是 {from} 的 {source} 的一部分",
    "ancestry.each": "{name} {size} 与 {from} 的 {source} 逐个位置对应，不过每个位置都能看到所有位置",
    "ancestry.joined": "{name} {size} 由 {parts} 拼接而成",
    "ancestry.added": "{name} {size} 是每个输入的同一个轴：{parts}",
    "ancestry.made": "{name} {size} 由权重在这里产生；它的每个位置都混合了 {parts} 的全部",
    "ancestry.reduced": "{name} {size} 在这里产生；它的每个位置都能看到 {parts} 的全部",
    "ancestry.new": "{name} {size} 是这里新增的；之前没有与它对应的轴",
    "image.grey": "一个位置的各种颜色合成一个灰度值",
    "image.edges": "每个位置两个数：向下和向右的斜率",
}
