"""A GPU that is not there: CPU tensors which say of themselves that they lie on `cuda:0`, and refuse what CUDA would.

    with PretendedGPU() as gpu:
        x = torch.ones(2, 3, device="cuda")     # on a machine without any
        x + torch.ones(2, 3)                    # RuntimeError: Expected all tensors to be on the same device …

Fake and meta tensors have no contents, so that nothing runs on them which looks at a number: no sampling,
no search, no scripted model. These are plain CPU tensors underneath; where each lies is written down beside
its memory. `torch` is asked at two places: a TorchFunctionMode answers whatever names a device (`x.device`,
`device=…`, `.to`), and a TorchDispatchMode sees every operation below it, backward passes included, and
raises CUDA's own error where two devices meet.

What can't be known here is taken to lie wherever it is wanted: memory that came past Python's own functions
(compiled scripts, other threads). So it may let a mistake go by, and never accuses where CUDA would not. It
knows nothing of a GPU's arithmetic, of streams or of kernels that are missing there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
MIXED = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
NOT_FOR_NUMPY = (
    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
)
TO_NUMPY = ("numpy", "__array__", "__dlpack__")
COPIES = ("copy_", "_to_copy")  # between devices, that is what they are for
BY_INDEX = ("index", "index_put", "index_put_", "_index_put_impl_")  # a GPU's tensor takes the CPU's indices too
TAKES_CPU_SCALARS = ("where", "masked_fill", "masked_fill_", "fill", "fill_", "full_like", *BY_INDEX)


class Places:
    """Where memory lies, by its storage; each is kept alive, so that its address stays its own."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, torch.device]] = {}

    def of(self, tensor: torch.Tensor) -> torch.device | None:
        """The device of a tensor; None if it came about out of sight."""
        storage = _storage(tensor)
        found = self._known.get(storage._cdata) if storage is not None else None
        return found[1] if found else None

    def put(self, value: Any, device: torch.device, again: bool = False) -> None:
        """Note that all tensors in `value` lie there; those already known only if said `again`."""
        for tensor in tensors_in(value):
            storage = _storage(tensor)
            if storage is not None and (again or storage._cdata not in self._known):
                self._known[storage._cdata] = storage, device


def _storage(tensor: torch.Tensor) -> Any:
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    try:
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError, ValueError):  # sparse, not yet initialised, and the like
        return None


def tensors_in(value: Any) -> list[torch.Tensor]:
    """All tensors in nested lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        return [value]
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]


class PretendedGenerator(torch.Generator):
    """A random generator of the CPU that says where it was asked to live."""

    def __new__(cls, device: Any = "cpu") -> PretendedGenerator:
        made: PretendedGenerator = super().__new__(cls)
        made.place = _device(device)
        return made

    def __init__(self, device: Any = "cpu") -> None:
        pass

    @property
    def device(self) -> torch.device:
        """Where it lives."""
        return self.place


def _device(named: Any) -> torch.device:
    """`cuda`, `cuda:0` and 0 are one; what is neither that nor the CPU is taken as it is."""
    device = torch.device(named)
    return GPU if device.type == "cuda" else device


PATCHED = ((torch, "Generator"), (torch.cuda, "get_rng_state"), (torch.autograd, "_engine_run_backward"))


class PretendedGPU(TorchFunctionMode):
    """Switches the pretence on; `met` counts how often two devices met in one operation."""

    def __init__(self) -> None:
        super().__init__()
        self.places = Places()
        self.met = 0
        self.making: torch.device | None = None  # where what is made from nothing lies just now
        self._operations = _Operations(self)

    def __enter__(self) -> PretendedGPU:
        self._patched = [(place, name, getattr(place, name)) for place, name in PATCHED]
        torch.Generator = PretendedGenerator  # type: ignore[misc]
        torch.cuda.get_rng_state = lambda device="cuda": torch.get_rng_state()
        torch.autograd._engine_run_backward = self._backward(torch.autograd._engine_run_backward)
        self._operations.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        super().__exit__(*problem)
        self._operations.__exit__(*problem)
        for place, name, original in self._patched:
            setattr(place, name, original)

    def of(self, tensor: torch.Tensor) -> torch.device:
        """Where a tensor says that it lies."""
        return self.places.of(tensor) or CPU

    def meet(self) -> None:
        """Two devices have met: count it and raise as CUDA does."""
        self.met += 1
        raise RuntimeError(MIXED)

    def _backward(self, run: Any) -> Any:
        """autograd's engine, inside of which people's own backward passes are watched like all else.

        Where the engine itself makes a zero can't be known.
        """

        def watched(*args: Any, **kwargs: Any) -> Any:
            with self._making(None):
                TorchFunctionMode.__enter__(self)
                try:
                    return run(*args, **kwargs)
                finally:
                    TorchFunctionMode.__exit__(self, None, None, None)

        return watched

    @contextlib.contextmanager
    def _making(self, where: torch.device | None) -> Iterator[None]:
        """Meanwhile, what is made from nothing lies there."""
        before, self.making = self.making, where
        try:
            yield
        finally:
            self.making = before

    def _beside(self, arguments: Any) -> torch.device | None:
        """Where a function makes tensors: beside its arguments, on the CPU if it is given none."""
        given = {self.places.of(tensor) for tensor in tensors_in(arguments)}
        return GPU if GPU in given else None if None in given else CPU

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function in ASKS:
            return ASKS[function](self.of(args[0]))
        name = getattr(function, "__name__", "")
        if name == "_parse_to" or isinstance(function, torch._ops.OpOverload):
            return function(*args, **kwargs)  # reads what `Module.to` was given; another mode's, on its way down
        with self._making(self._beside([args, kwargs])):
            if name in TO_NUMPY and self.of(args[0]) == GPU:
                raise TypeError(NOT_FOR_NUMPY)
            if name in ("to", "cpu", "cuda") and isinstance(args[0], torch.Tensor):
                return self._moved(name, function, args, kwargs)
            self._check_generator(args, kwargs)
            given = kwargs.pop("device", None)
            found = function(*args, **kwargs)
            if given is not None:
                return self._placed(found, _device(given), args)
            if name.startswith("new_") or name == "__deepcopy__":
                self.places.put(found, self.of(args[0]), again=name != "__deepcopy__" or found is not args[0])
            elif self.making is not None:
                self.places.put(found, self.making)  # what no operation below has placed: from_numpy and the like
            return found

    def _moved(self, name: str, function: Any, args: Any, kwargs: dict[str, Any]) -> torch.Tensor:
        """`.to`, `.cpu` and `.cuda`: on another device a copy, and what `to` does besides."""
        source, *others = args
        target = {"cpu": CPU, "cuda": GPU}.get(name, self.of(source))
        named = kwargs.pop("device", None)
        if named is not None:
            target = _device(named)
        rest = []
        for other in others if name == "to" else ():
            if isinstance(other, str | torch.device) or (isinstance(other, int) and not isinstance(other, bool)):
                target = _device(other)
            elif isinstance(other, torch.Tensor):
                target = self.of(other)
                rest.append(other.dtype)
            elif other is not None:
                rest.append(other)
        if "other" in kwargs:
            like = kwargs.pop("other")
            target, kwargs["dtype"] = self.of(like), like.dtype
        wants = [part for part in rest if not isinstance(part, bool)] or set(kwargs) - {"non_blocking"}
        found = function(source, *rest, **kwargs) if name == "to" and wants else source
        return self._placed(found, target, args)

    def _placed(self, found: Any, device: torch.device, args: Any) -> Any:
        """What was made or moved, on this device; a copy, if its memory is that of an argument elsewhere."""
        if not isinstance(found, torch.Tensor):
            return found
        before = self.places.of(found)
        if before != device:
            storage = _storage(found)
            given = [_storage(tensor) for tensor in tensors_in(args)]
            if storage is not None and any(other is not None and other._cdata == storage._cdata for other in given):
                found = found.clone()
            self.places.put(found, device, again=True)
        return found

    def _check_generator(self, args: Any, kwargs: dict[str, Any]) -> None:
        generator = kwargs.get("generator")
        if generator is None:
            return
        lies = generator.place if isinstance(generator, PretendedGenerator) else CPU
        tensors = tensors_in(args)
        wanted = self.of(tensors[0]) if tensors else _device(kwargs.get("device") or "cpu")
        if wanted != lies and wanted.type in ("cpu", "cuda"):
            self.met += 1
            raise RuntimeError(f"Expected a '{wanted.type}' device type for generator but found '{lies.type}'")


ASKS = {
    torch.Tensor.device.__get__: lambda device: device,
    torch.Tensor.is_cuda.__get__: lambda device: device == GPU,
    torch.Tensor.is_cpu.__get__: lambda device: device == CPU,
    torch.Tensor.get_device: lambda device: 0 if device == GPU else -1,
}


class _Operations(TorchDispatchMode):
    """Sees every operation: refuses two devices in one, and notes where its result lies."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else the first operation imports torch._dynamo, a second or so

    def __init__(self, gpu: PretendedGPU) -> None:
        super().__init__()
        self.gpu = gpu

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C.DisableTorchFunction():  # what is asked of tensors below here is our own business
            return self._run(operation, args, kwargs or {})

    def _run(self, operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        name = operation._schema.name.removeprefix("aten::")
        if name.startswith("_foreach"):  # each on its own; lists of the CPU's steps stand beside the GPU's weights
            return self._each(operation, args, kwargs)
        places = self.gpu.places
        where: torch.device | None
        if name in COPIES:
            where = places.of(args[0])
        elif name == "_pack_padded_sequence":  # the lengths, and the batch sizes that come out, are the CPU's
            data, sizes = operation(*args, **kwargs)
            places.put(data, self.gpu.of(args[0]))
            places.put(sizes, CPU)
            return data, sizes
        else:
            where = self._meeting_place(operation, name, args, kwargs)
        found = operation(*args, **kwargs)
        if where is None and not tensors_in([args, kwargs]):
            where = self.gpu.making
        if where is not None:
            places.put(found, where)
        return found

    def _meeting_place(self, operation: Any, name: str, args: Any, kwargs: Any) -> torch.device | None:
        """The one device of an operation's tensors; None if none of them is known."""
        places = self.gpu.places
        known = [(tensor, place) for tensor in tensors_in([args, kwargs]) if (place := places.of(tensor))]
        if name in BY_INDEX:
            own = places.of(args[0])
            indices = {id(index) for index in args[1] if index is not None}
            known = [(tensor, place) for tensor, place in known if not (id(tensor) in indices and place == CPU)]
            if own is not None and any(place != own and tensor.dim() for tensor, place in known):
                self.gpu.meet()
            return own
        found = {place for _, place in known}
        if len(found) < 2:
            return found.pop() if found else None
        scalars_fit = torch.Tag.pointwise in operation.tags or name in TAKES_CPU_SCALARS
        if not scalars_fit or any(place == CPU and tensor.dim() for tensor, place in known):
            self.gpu.meet()
        if name.endswith("_") and places.of(args[0]) == CPU:  # what is changed in place stays where it is
            self.gpu.meet()
        return GPU

    def _each(self, operation: Any, args: Any, kwargs: Any) -> Any:
        found = operation(*args, **kwargs)
        for made, given in zip(found or (), args[0], strict=False):
            place = self.gpu.places.of(given)
            if place is not None:
                self.gpu.places.put(made, place)
        return found
