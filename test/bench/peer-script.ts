/**
 * The step of a rule in PyTorch, as one who knows PyTorch would write it for inference: in place
 * where it can be, convolutions by oneDNN or cuDNN, a patch's own weights by a batched product, a
 * grouped convolution or one convolution a patch, in either memory layout. All of these are tried,
 * and the fastest counts.
 */
export const PEER_SCRIPT = `
import json, re, sys, time
import torch
from torch.nn.functional import conv2d

# Kept: the mode ends with its guard.
inference = torch.inference_mode()
inference.__enter__()
assert torch.is_inference_mode_enabled() and not torch.is_grad_enabled()
blas = re.search(r"BLAS_INFO=(\\w+)", torch.__config__.show())
print(json.dumps({"version": torch.__version__, "cuda": torch.cuda.is_available(), "blas": blas and blas[1]}), flush=True)

class Net:
    def __init__(self, q):
        self.q, self.device = q, "cuda" if q["gpu"] and torch.cuda.is_available() else "cpu"
        torch.set_num_threads(q["threads"])
        self.stock = self.read("states", [q["stock"], q["side"], q["side"], q["channels"]]).permute(0, 3, 1, 2)
        self.tensors = {name: self.read(name, shape) for name, shape in q["tensors"].items()}
        self.own = self.read("own", [q["stock"], q["own"]["size"]]) if q["own"] else None

    def read(self, name, shape):
        data = torch.frombuffer(bytearray(open(name + ".bin", "rb").read()), dtype=torch.float32)
        return data.reshape(shape).to(self.device)

    def states(self, n, channels_last):
        layout = torch.channels_last if channels_last else torch.contiguous_format
        return self.stock[self.rows(n)].contiguous(memory_format=layout)

    def rows(self, n):
        return torch.arange(n, device=self.device) % self.q["stock"]

    def step(self, n, channels_last, how):
        q, own = self.q, self.own
        layout = torch.channels_last if channels_last else torch.contiguous_format
        rows = own[self.rows(n)] if own is not None else None
        parts = q["own"] or {}
        hidden, channels = q["hidden"], q["channels"]

        def conv(name, with_bias=True):
            w = self.tensors["update.%s.kernel" % name]
            w = w.permute(3, 2, 0, 1) if w.dim() == 4 else w.t()[:, :, None, None]
            w = w.contiguous(memory_format=layout)
            b = self.tensors.get("update.%s.bias" % name) if with_bias else None
            pad = w.shape[2] // 2
            return lambda x: conv2d(x, w, b, padding=pad)

        def part(name, *shape):
            p = parts.get(name)
            return rows[:, p["from"]:p["from"] + p["size"]].reshape(shape).contiguous() if p else None

        def own_layer(weights, bias, inputs, outputs):
            w = part(weights, n, outputs, inputs)
            b = part(bias, n, outputs)
            if how == "grouped":
                w = w.reshape(n * outputs, inputs, 1, 1)
                b = b.reshape(-1)
                def run(x):
                    s = x.shape[2]
                    return conv2d(x.reshape(1, n * inputs, s, s), w, b, groups=n).view(n, outputs, s, s)
                return run
            if how == "each":
                ws = [v[:, :, None, None].contiguous(memory_format=layout) for v in w]
                return lambda x: torch.cat([conv2d(x[i:i + 1], ws[i], b[i]) for i in range(n)])
            if channels_last:
                w, b = w.transpose(1, 2).contiguous(), b[:, None]
                def run(x):
                    s = x.shape[2]
                    y = torch.baddbmm(b, x.permute(0, 2, 3, 1).reshape(n, s * s, inputs), w)
                    return y.view(n, s, s, outputs).permute(0, 3, 1, 2)
                return run
            b = b[:, :, None]
            def run(x):
                s = x.shape[2]
                return torch.baddbmm(b, w, x.reshape(n, inputs, s * s)).view(n, outputs, s, s)
            return run

        act = torch.relu_ if q["activation"] == "relu" else torch.nn.functional.elu_
        perceive = conv("perceive", own is None)
        scale, shift = part("perceptionScale", n, hidden, 1, 1), part("perceptionBias", n, hidden, 1, 1)
        kind, leak, limit = q["kind"], q["leak"], q["limit"]
        second = None
        if kind == "residual":
            second = own_layer("hidden", "hiddenBias", hidden, hidden) if "hidden" in parts else conv("hidden")
        blocks = [(conv("block%d.inner" % i), conv("block%d.outer" % i)) for i in range(4 if kind == "res4" else 0)]
        out_shift = None
        if "out" in parts:
            out = own_layer("out", "outBias", hidden, channels)
        else:
            out = conv("out", "outBias" not in parts)
            out_shift = part("outBias", n, channels, 1, 1)

        def step(x):
            h = perceive(x)
            if scale is not None:
                h.mul_(scale)
            if shift is not None:
                h.add_(shift)
            for inner, outer in blocks:
                h.add_(outer(act(inner(h))))
            if not blocks:
                h = act(h)
            if second is not None:
                h.add_(act(second(h)))
            y = out(h)
            if out_shift is not None:
                y.add_(out_shift)
            y = y.add_(x, alpha=1 - leak)
            return y if limit is None else y.clamp_(-limit, limit)
        return step

class Run:
    def __init__(self, net, n, piece, channels_last, how, compiled):
        self.net, self.pieces, self.way = net, [], (channels_last, how)
        for at in range(0, n, piece):
            m = min(piece, n - at)
            step = net.step(m, channels_last, how)
            if compiled:
                step = torch.compile(step)
            self.pieces.append([step, net.states(m, channels_last), None])
        self.name = "%s%s%s" % ("channels last" if channels_last else "contiguous", ", " + how if how else "", ", compiled" if compiled else "")

    def time(self, times):
        for p in self.pieces:
            p[2] = p[0](p[1])
        self.wait()
        start = time.perf_counter()
        for _ in range(times):
            for p in self.pieces:
                p[2] = p[0](p[2])
        self.wait()
        return (time.perf_counter() - start) * 1000 / times

    def wait(self):
        if self.net.device == "cuda":
            torch.cuda.synchronize()

    def after(self):
        return torch.cat([p[0](p[1]) for p in self.pieces]).permute(0, 2, 3, 1).contiguous()

def ways(net):
    hows = ["bmm", "grouped", "each"] if net.q["own"] and "hidden" in net.q["own"] else [None]
    return [(last, how) for last in [False, True] for how in hows if not (last and how == "grouped")]

def fastest(net, n, piece, compiled, ways):
    best, first = None, None
    for channels_last, how in ways:
        run = Run(net, n, piece, channels_last, how, compiled)
        after = run.after()
        first = after if first is None else first
        if not torch.allclose(after, first, atol=1e-3):
            raise AssertionError(run.name + " is another step")
        ms = min(run.time(1) for _ in range(3))
        if best is None or ms < best[0]:
            best = (ms, run)
    return best[1]

net, runs = None, {}
for line in sys.stdin:
    q = json.loads(line)
    if q["what"] == "net":
        net, runs = Net(q), {}
        print(json.dumps(net.device), flush=True)
    elif q["what"] == "prepare":
        n = q["patches"]
        runs = {"whole": fastest(net, n, n, False, ways(net)), "pieces": fastest(net, n, q["piece"], False, ways(net))}
        # One function has few compiled versions: those of other sizes are not to count.
        torch._dynamo.reset()
        try:
            # On a CPU, each way takes the compiler half a minute.
            tried = ways(net) if net.device == "cuda" else [runs["whole"].way]
            runs["compiled"] = fastest(net, n, n, True, tried)
        except Exception as error:
            print("not compiled: %s" % str(error).strip().split("\\n")[0], file=sys.stderr)
        runs["whole"].after().float().cpu().numpy().tofile("after.bin")
        print(json.dumps({k: r.name for k, r in runs.items()}), flush=True)
    else:
        print(json.dumps(runs[q["run"]].time(q["times"])), flush=True)
`;
