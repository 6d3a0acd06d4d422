"""The sentences of the doctor, by name, with the values they take in braces.

A repair has two: why the network may fail, and what to do. The framework's errors have theirs
in ``calculator/teaching/doctor/meanings.py``.
"""

REPAIRS: dict[str, tuple[str, str]] = {
    # the input
    "usual_padding": (
        "{size} input without padding, where {usual} would fit",
        "use padding {padding} on {layer}",
    ),
    "usual_input": ("{given} input", "give {shape}, a usual input, or resize to it"),
    "named_input": ("{given} input", "give {shape}, the usual input of this network"),
    "fitting_input": ("{given} input", "give {shape}, the smallest size that fits"),
    "divisible_input": (
        "{given} input: where a size is halved, rounded, and doubled, it does not come back",
        "give {shape}{other}",
    ),
    "channels_last": (
        "the channels stand last in {given}",
        "give them first: {shape} (permute, or transpose, the picture)",
    ),
    "batch_in_input": (
        "{batch} in {given} may be the batch",
        "leave the batch out of the description: {shape}",
    ),
    "channel_missing": (
        "{given} has no channels in front",
        "give {shape} (unsqueeze, or reshape, the picture)",
    ),
    "input_channels": (
        "{given} input where {layer} takes in={channels}",
        "give {shape} ({conversion})",
    ),
    # features and channels
    "flatten": ("{layer} takes one row of values and gets {shape}", "put flatten before {layer}"),
    "pool_flatten": (
        "{layer} takes one row of values and gets {shape}",
        "put globalavgpool and flatten before {layer}",
    ),
    "unflatten": (
        "{flatten} comes before {layer}, which needs spatial axes",
        "take {flatten} away",
    ),
    "late_flatten": (
        "{flatten} comes before {layer}, which needs spatial axes",
        "move flatten before {dense}",
    ),
    "stated": (
        "{arriving} arrive at {layer}, which states {stated}",
        "state in={arriving}{factors} at {layer}",
    ),
    "filters": (
        "{before} makes {made} channels and {layer} takes {wanted}",
        "give {before} {wanted} filters",
    ),
    "units": ("{before} makes {made} and {layer} takes {wanted}", "give {before} {wanted} units"),
    "groups": ("{channels} channels do not divide into {groups} groups", "use g{best} on {layer}"),
    "group_filters": (
        "{filters} filters do not divide into {groups} groups",
        "give {layer} {best} filters",
    ),
    "shuffle": (
        "{layer} needs a multiple of {block} channels",
        "give {before} {best} filters",
    ),
    # windows
    "padding": ("no padding on {layer}", "use padding {padding} on {layer}"),
    "more_padding": ("too little padding on {layer}", "use padding {padding} on {layer}"),
    "less_padding": ("too much padding on {layer}", "use padding {padding} on {layer}"),
    "no_padding": ("padding on {layer}", "use no padding on {layer}"),
    "all_padding": ("no padding on {count} layers", "pad every convolution by half its kernel"),
    "pool_padding": (
        "padding of more than half the window of {layer}",
        "use padding {padding} on {layer}",
    ),
    "stride": ("stride {given} on {layer}", "use stride {stride} on {layer}"),
    "pool_stride": (
        "{layer} steps by its kernel, {given}, as no stride is written",
        "use stride {stride} on {layer}",
    ),
    "same_pool": (
        "{layer} steps by its kernel and shrinks the picture",
        "use stride 1 and padding {padding} on {layer}",
    ),
    "kernel": ("kernel {given} on {layer} for a {map} map", "use kernel {kernel} on {layer}"),
    "axes": (
        "{given} on {layer} does not have one number for each of {axes}",
        "write {best}, which holds for every axis",
    ),
    "ceil": ("{layer} rounds its size down", "use ceil on {layer}"),
    "floor": ("{layer} rounds its size up", "use floor, without ceil, on {layer}"),
    "fewer_pools": ("{layer} is one pooling more than the input has room for", "take {layer} away"),
    "extra_pool": ("{layer} may be one pooling too many", "take {layer} away"),
    "more_pools": ("a pooling seems forgotten", "put {pool} before {layer}"),
    "output_padding": ("output padding without a stride above it", "drop o from {layer}"),
    # padding and cropping as layers
    "reflection": (
        "a reflection needs a map larger than its padding",
        "use padding {padding} in {layer}",
    ),
    "edge": ("a reflection needs a map larger than its padding", "repeat the edge in {layer}"),
    "crop": ("{layer} takes all of the {map} map", "crop {padding} in {layer}"),
    # branches
    "projection": (
        "the shortcut of {layer} brings {given} and the sum needs {wanted}",
        "put {item} into the empty branch of {layer}",
    ),
    "appended_projection": (
        "branch {branch} of {layer} ends with {given} and needs {wanted}",
        "end branch {branch} of {layer} with {item}",
    ),
    "pad_branches": (
        "the convolutions in the branches of {layer} shrink the map",
        "pad each by half of its kernel",
    ),
    "crop_branch": (
        "branch {branch} of {layer} is larger than another by {rest}",
        "end it with {item}",
    ),
    "pad_branch": (
        "branch {branch} of {layer} is smaller than another by {rest}",
        "end it with {item}",
    ),
    "branch_filters": (
        "branch {branch} of {layer} ends with {made} channels, another with {wanted}",
        "give {before} {wanted} filters",
    ),
    "branch_stride": (
        "branch {branch} of {layer} has stride {given} in {before}, another has not",
        "use stride {stride} in {before}",
    ),
    "branch_padding": (
        "{before} changes the size in branch {branch} of {layer}",
        "use padding {padding} in {before}",
    ),
    "concat": ("the branches of {layer} differ in channels only", "use concat instead of add"),
}

FACTS = {
    "features": "{arriving} = {arrived}, {stated} = {expected}",
    "arriving": "{arriving} = {arrived}",
    "sizes": "sizes on the way: {sizes}",
}

LABELS = {
    "fits": "{network} fits: {input} -> {output}",
    "nothing": "nothing suspicious found",
    "remarks": "worth knowing, though valid:",
    "staged": "{network} fails in this way if {layer} is made for in={stated}",
    "staged_input": "{network} fails in this way if {layer} is made for in={stated} and the input "
    "is {input}",
    "staged_bare": "{network} fails in this way as it stands",
    "staged_bare_input": "{network} fails in this way if the input is {input}",
    "unstaged": "{network} does not fail in this way, neither with its own input nor with a "
    "usual one: the program differs from it",
    "causes": "likely causes; each fix was tried and fits:",
    "meaning": "likely causes:",
    "causeless": "no small change was found that makes it fit; try the layers up to {layer} alone",
    "long_search": "{length} characters are too many for a search; at most {most} are searched",
    "then": "; then {why}: {fix}",
    "long": "(a line of {length} characters: --format json shows it)",
    "suggestion": "try: {fix} (impasto doctor shows how)",
}

REMARKS = {
    "other_input": "{layers}: gets {arriving} {what} instead of the {wanted} of the usual input "
    "{usual}, so that trained weights do not fit; {remedy}",
    "pool_padding": "{layers}: padding {padding} is more than half of the kernel {kernel}, which "
    "PyTorch refuses; use padding {half} or less",
    "dropped": "{layers}: the last of {size} positions is read by no window (floor); "
    "{remedy} reads it",
    "dropped_several": "{layers}: the last {rows} of {size} positions are read by no window "
    "(floor); {remedy} reads them",
    "gaps": "{layers}: stride {stride} is larger than the kernel {kernel}, so that positions "
    "between the windows are never read",
    "field": "{layers}: its units see {field} of the input's {size} positions, so that no unit "
    "has seen a whole object of that size",
    "dense": "{layers}: holds {percent}% of the {params} parameters",
    "softmax_twice": "{layers}: softmax of a softmax is nearly uniform; keep the last one only",
    "squashed": "{layers}: softmax behind {before} cannot tell scores that {before} made equal; "
    "let the last fc go into it directly",
    "softmax_inside": "{layers}: softmax before the end makes values that sum to 1, which slows "
    "learning; keep it for the last layer",
    "idle_bias": "{layers}: the bias before {norm} is subtracted again; nobias saves {params} "
    "parameters",
    "blind_padding": "{layers}: padding {padding} is not less than the kernel {kernel}, so that "
    "whole windows see only zeros",
    "large_kernel": "{layers}: kernel {kernel} on a {map} map; many of its weights never meet "
    "anything but padding",
    "lopsided": "{layers}: an even kernel with same is padded {before} before and {after} behind, "
    "which shifts the picture by half a position",
    "linear": "{layers}: nothing that bends stands between {before} and it, so that both "
    "together are one linear map",
}


def say(sentence: str, **values: object) -> str:
    """Return a sentence with its values."""
    return sentence.format(**values)
