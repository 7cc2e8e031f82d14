#!/usr/bin/env python3
"""Does the work of `llavacode bench` with PyTorch and with llama.cpp, on the same weights.

    python3 peers.py --gguf SmolLM2-135M-Instruct.Q4_1.gguf --engine torch --threads 2 --work train_step
    python3 peers.py --gguf SmolLM2-135M-Instruct.Q4_1.gguf --engine llamacpp --threads 2 --work decode_b1

PyTorch needs torch, transformers, accelerate and gguf, and reads a folder of safetensors as well; llama.cpp needs xllamacpp.
Each repetition is one line of JSON: engine, work, threads, seconds, tokens_per_second, peak_rss_mb. With --serve the model
is loaded and warmed up once, {"ready": true} says so, and each line of standard input asks for one repetition.
"""
import argparse
import json
import os
import random
import resource
import sys
import time

SOFT, LEFT, TARGET, BATCH = 10, 180, 16, 8
CONTEXT, NEW = 190, 64
LOWEST_ID, HIGHEST_ID = 5, 40000
PREFILLS = {"prefill_206": 206, "prefill_1290": 1290, "prefill_5130": 5130}
DECODES = {"decode_b1": 1, "decode_b8": 8}


def timed(work):
    """Runs work(), which gives its tokens: (tokens, seconds)."""
    start = time.perf_counter()
    tokens = work()
    return tokens, time.perf_counter() - start


def torch_engine(arguments):
    import torch
    from transformers import AutoModelForCausalLM, DynamicCache

    torch.set_num_threads(arguments.threads)
    options = {"dtype": torch.float32, "attn_implementation": "sdpa"}
    path = os.path.abspath(arguments.gguf)
    if not os.path.isdir(path):
        path, options["gguf_file"] = os.path.split(path)
    reader = AutoModelForCausalLM.from_pretrained(path, **options).eval().requires_grad_(False)
    embeddings = reader.get_input_embeddings().weight
    head = reader.get_output_embeddings().weight
    source = torch.Generator().manual_seed(0)
    highest = min(HIGHEST_ID, embeddings.shape[0])

    def ids(*shape):
        return torch.randint(LOWEST_ID, highest, shape, generator=source)

    if arguments.work == "train_step":
        left, target = ids(BATCH, LEFT), ids(BATCH, TARGET)
        start = torch.randn(BATCH, SOFT, embeddings.shape[1], generator=source) * 0.1

        def step():
            soft = start.clone().requires_grad_(True)
            inputs = torch.cat([soft, embeddings[left], embeddings[target]], 1)
            hidden = reader.model(inputs_embeds=inputs, use_cache=False).last_hidden_state
            logits = hidden[:, SOFT + LEFT - 1 : -1] @ head.T
            torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten()).backward()
            return BATCH * (SOFT + LEFT + TARGET)

        return lambda: timed(step)
    if arguments.work in PREFILLS:
        inputs = embeddings[ids(1, PREFILLS[arguments.work])]

        @torch.no_grad()
        def prefill():
            reader.model(inputs_embeds=inputs, use_cache=True).last_hidden_state[:, -1] @ head.T
            return inputs.shape[1]

        return lambda: timed(prefill)
    prompts = ids(DECODES[arguments.work], CONTEXT)

    @torch.no_grad()
    def decode():
        cache = DynamicCache()
        token = reader(prompts, past_key_values=cache, logits_to_keep=1).logits[:, -1].argmax(-1)

        def rest():
            last = token
            for _ in range(NEW):
                last = reader(last[:, None], past_key_values=cache).logits[:, -1].argmax(-1)
            return NEW * prompts.shape[0]

        return timed(rest)

    return decode


def llamacpp_engine(arguments):
    if arguments.work not in ("decode_b1", *PREFILLS):
        sys.exit(f"llama.cpp does not do {arguments.work} here")
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = arguments.gguf
    parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = 6144, 2048, 512
    parameters.n_parallel, parameters.warmup = 1, False
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = arguments.threads
    server = xllamacpp.Server(parameters)
    decodes = arguments.work == "decode_b1"
    source = random.Random(0)
    length = CONTEXT if decodes else PREFILLS[arguments.work]
    prompt = [source.randint(LOWEST_ID, HIGHEST_ID) for _ in range(length)]
    request = {"prompt": prompt, "n_predict": NEW if decodes else 1, "temperature": 0, "cache_prompt": False, "ignore_eos": True}
    part = "predicted" if decodes else "prompt"

    def answer():
        timings = server.handle_completions(request)["timings"]
        return timings[f"{part}_n"], timings[f"{part}_ms"] / 1000

    return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--engine", choices=["torch", "llamacpp"], required=True)
    parser.add_argument("--work", choices=["train_step", *PREFILLS, *DECODES], required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--serve", action="store_true")
    arguments = parser.parse_args()
    repetition = (torch_engine if arguments.engine == "torch" else llamacpp_engine)(arguments)
    repetition()
    if arguments.serve:
        print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin if arguments.serve else range(arguments.repeat):
        tokens, seconds = repetition()
        result = {
            "engine": arguments.engine,
            "work": arguments.work,
            "threads": arguments.threads,
            "seconds": round(seconds, 4),
            "tokens_per_second": round(tokens / seconds, 2),
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        print(json.dumps(result), flush=True)


main()
