"""What each error of a framework means, and its causes; with the values they take in braces.

``PROBLEMS`` says what the numbers of an error are. ``CAUSES`` has why it may be so and what to do.
"""

PROBLEMS = {
    "product": "{arriving} features arrive at a dense layer made for {wanted}",
    "channels": "{arriving} channels arrive at a convolution made for {wanted}",
    "layer_rank": "{dimensions} dimensions arrive at a layer of {axes} dimensions, batch included",
    "file_rank": "the file takes an input of {axes} dimensions, {dimensions} are given",
    "loss": "labels of shape {labels} and outputs of shape {outputs} are compared",
    "checkpoint": "the checkpoint holds {saved}, the layer in the program is {wanted}",
    "window": "a kernel of {kernel} does not fit into a map of {size}, padding counted",
    "pool": "a pooling would make {made} of {given}",
    "rank": "the layer takes {axes} dimensions, batch and channels among them",
    "sum": "a sum of branches of sizes {a} and {b} in dimension {axis} ({dimension})",
    "concat": "branches of sizes {a} and {b} outside the dimension that is joined",
    "norm": "{arriving} channels arrive at a normalisation made for {stated}",
    "single": "batch normalisation has one value per channel, of which there is no variance",
    "reflection": "a reflection of {padding} values, for which the map {given} is too small",
    "pool_padding": "padding {padding} of a pooling window of {kernel}; at most half is allowed",
    "view": "{values} values do not make rows of {row}",
    "batches": "{given} rows leave the network and {target} labels wait for them",
    "label": "label {label}, and the last layer has no unit of that number",
    "groups": "in_channels or out_channels is no multiple of groups",
    "shuffle": "{channels} channels, and a pixel shuffle needs a multiple of {block}",
    "file": "the file takes {expected} in dimension {index} of its input, {got} is given",
}
FACTS = {
    "maps": "{arriving} = {channels}*{map}*{map}, {wanted} = {channels}*{side}*{side}",
    "rows": "{rows} rows of {arriving} are {batch} samples of {wanted}",
    "batch": "{arriving} = {batch}*{wanted}",
    "saved_maps": "{saved_last} = {channels}*{map}*{map} in the checkpoint, {wanted_last} = "
    "{channels}*{side}*{side} in the program",
    "multiple": "{values} = {batch}*{row} + {rest}",
}
CAUSES: dict[str, tuple[str, str]] = {
    "empty": (
        "a tensor without values arrives",
        "print the shapes in front of it: a slice, a filter or a file gave nothing",
    ),
    "unflattened": (
        "the picture was not flattened",
        "flatten all but the batch with torch.flatten(x, 1)",
    ),
    "batch_flattened": (
        "the batch of {batch} was flattened together with the picture",
        "keep the first dimension with torch.flatten(x, 1)",
    ),
    "keras_unflattened": (
        "the picture was not flattened",
        "put a Flatten() layer in front of the Dense one",
    ),
    "keras_batch_flattened": (
        "the batch of {batch} was flattened together with the picture",
        "put a Flatten() layer in front of the Dense one, which keeps the batch",
    ),
    "keras_features": (
        "{wanted} was counted for other layers or another input",
        "build the model anew: a Dense layer takes what first arrives, here {arriving}",
    ),
    "turned": ("the picture lies with rows for columns", "transpose it with x.T"),
    "smaller_map": (
        "a {map}x{map} map arrives where {side}x{side} was counted on",
        "give the input that the layers were counted for, or pad the first of them",
    ),
    "larger_map": (
        "a {map}x{map} map arrives where {side}x{side} was counted on",
        "give the smaller input, or look for a stride, a pooling or no padding that was meant",
    ),
    "features": (
        "{wanted} was counted for other layers or another input",
        "make the layer for what arrives, in_features={arriving}",
    ),
    "channels_last": (
        "the channels stand last",
        "put them behind the batch with x.permute(0, 3, 1, 2)",
    ),
    "keras_channels_first": (
        "the channels stand first, and Keras has them last",
        "transpose to channels last, np.transpose(x, {order})",
    ),
    "no_channels": (
        "the batch, {arriving}, stands where the channels should",
        "add the dimension with x.unsqueeze(1)",
    ),
    "colour": ("a colour picture for a network of grey ones", "convert it with image.convert('L')"),
    "grey": ("a grey picture for a network of colours", "convert it with image.convert('RGB')"),
    "alpha": ("the picture has transparency", "convert it with image.convert('RGB')"),
    "first_channels": (
        "the layer was made for other pictures",
        "make it for these, in_channels={arriving}",
    ),
    "keras_first_channels": (
        "the layer was made for other pictures",
        "make the model for these, with {arriving} as the last number of its Input",
    ),
    "keras_in_channels": (
        "the layer before makes {arriving}",
        "{wanted} filters in the layer before, or build the model anew for {arriving}",
    ),
    "in_channels": (
        "the layer before makes {arriving}",
        "in_channels={arriving}, or {wanted} filters in the layer before",
    ),
    "small_input": (
        "the input is smaller than the layers before leave room for",
        "give a larger input; impasto doctor LINE names the smallest",
    ),
    "poolings": (
        "one stride or pooling too many before this layer",
        "take one away, or pad the convolutions by half of their kernels",
    ),
    "spatial": (
        "the values were flattened before a convolution",
        "flatten behind the last convolution",
    ),
    "dimensions": (
        "batch or channels are missing",
        "add them in front, x[None, None] for one grey picture, x[None] for one of colours",
    ),
    "channel_axis": (
        "the axis of the channels is missing at the end",
        "add it with x[..., None]",
    ),
    "batch_axis": (
        "one sample was given without the batch",
        "add the batch in front with x[None]",
    ),
    "keras_spatial": (
        "the values were flattened before a layer that slides over a picture",
        "put Flatten() behind the last such layer, or Reshape a flat input in front of the first",
    ),
    "surplus_axes": (
        "the input has more axes than the layer takes",
        "squeeze an axis of size 1, or put Flatten() or Reshape in front of the layer",
    ),
    "few_axes": (
        "the batch or the channels are missing",
        "add the batch with x[None], and for grey pictures the axis of the channels",
    ),
    "many_axes": (
        "the input has more axes than the file takes",
        "leave out an axis of size 1, x[0] for a batch of one",
    ),
    "whole_numbers": (
        "the labels are whole numbers and the loss expects a row per label",
        "loss='sparse_categorical_crossentropy', or to_categorical(y, {units})",
    ),
    "one_hot": (
        "the labels are rows and the loss or the last layer expects one number",
        "as many units in the last layer as a row of labels has, {classes}",
    ),
    "label_axes": (
        "labels and outputs have another number of axes",
        "one row per sample on both sides; flatten, or pool, before the last layer",
    ),
    "last_units": (
        "the last layer has {units} units for {classes} classes",
        "Dense({classes}) as the last layer",
    ),
    "other_classes": (
        "the checkpoint has {saved_first} outputs here and the program {wanted_first}",
        (
            "make the layer as in the checkpoint, load, and then exchange it; or leave its "
            "entries out of the dictionary and load with strict=False"
        ),
    ),
    "other_maps": (
        "a {map}x{map} map goes into this layer in the checkpoint, {side}x{side} in the program",
        "build the program for the input size, and with the padding, that it was trained with",
    ),
    "other_layers": (
        "the checkpoint was made by another program, or for another input",
        "build the model with the settings of the checkpoint, here {saved}",
    ),
    "odd_size": (
        (
            "{large} is not divisible by {factor}: halving rounds down and doubling does not "
            "bring it back ({large} -> {half} -> {small})"
        ),
        (
            "make it {small} or {next} by an input that is a multiple of 2^depth (16 with four "
            "poolings), or pad or crop one branch before they are joined"
        ),
    ),
    "projection": (
        "one branch changes the number of channels",
        "put a 1x1 convolution with as many filters into the other",
    ),
    "strides": (
        "one branch has a stride or pooling that the other lacks ({a} is about {ratio} times {b})",
        "give the other the same, in a shortcut by a 1x1 convolution",
    ),
    "margins": (
        "one branch has less padding ({a} - {b} = {rest})",
        "pad its convolutions by half of their kernels",
    ),
    "norm": (
        "the layer before makes {arriving}",
        "num_features={arriving}, or {stated} filters before",
    ),
    "one_sample": (
        "a batch of one, often the last of an epoch",
        "drop_last=True in the loader, or batches of at least 2",
    ),
    "training": ("the network is asked in training mode", "model.eval() before asking"),
    "larger_picture": (
        "the picture is smaller than the margin",
        "give one of more than {padding} on every side, or pad less",
    ),
    "half": ("the padding was meant for a larger kernel", "padding at most {half}"),
    "keep_batch": (
        "the number in view was counted for other layers or another input",
        "x.flatten(1) takes what there is",
    ),
    "split_batch": (
        "view(-1, ...) with a wrong number cut the samples into other rows",
        "keep the batch with x.flatten(1)",
    ),
    "classes": ("labels start at 0", "at least {units} units in the last layer"),
    "from_one": ("the labels count from 1", "subtract 1 from the labels"),
    "groups": (
        "groups cut the channels into equal parts",
        "a multiple of groups on both sides, or groups=1",
    ),
    "shuffle": (
        "every {block} channels become one",
        "{best} filters in the layer before",
    ),
    "fixed_file": (
        "the file was made for one size",
        "resize to {expected}, or export it with free sizes",
    ),
}
