"""Batches share a request, or are split over several."""

from __future__ import annotations

import pyarrow as pa

from exporter.payloads import MAX_BYTES, TARGET_BYTES, Batch, Payload, Payloads


def batch_of(*sizes: int) -> Batch:
    return pa.RecordBatch.from_pydict({"text": ["x" * size for size in sizes]})


def sent(*batches: Batch) -> list[Payload]:
    payloads = Payloads()
    found = [payload for batch in batches for payload in payloads.add(batch, batch.nbytes)]
    return [*found, *payloads.flush()]


def read(payload: Payload) -> list[int]:
    batch = pa.ipc.read_record_batch(pa.py_buffer(payload.data), pa.schema({"text": pa.string()}))
    assert batch.num_rows == payload.rows
    return [len(text) for text in batch.column("text").to_pylist()]


def test_small_batches_share_a_payload() -> None:
    payloads = sent(*[batch_of(number) for number in range(100)])

    assert [read(payload) for payload in payloads] == [list(range(100))]


def test_a_payload_ends_before_the_batch_that_would_take_it_beyond_its_target() -> None:
    payloads = sent(*[batch_of(TARGET_BYTES // 4)] * 8)  # and a few bytes of Arrow's each

    assert [payload.rows for payload in payloads] == [3, 3, 2]


def test_a_batch_beyond_the_target_is_a_payload_of_its_own() -> None:
    payloads = sent(batch_of(1), batch_of(TARGET_BYTES + 1), batch_of(2))

    assert [read(payload) for payload in payloads] == [[1], [TARGET_BYTES + 1], [2]]


def test_no_payload_is_larger_than_a_request_takes() -> None:
    sizes = [3_000_000, 1, 3_000_000, 3_000_000, 6_900_000, 2, 3]

    payloads = sent(batch_of(*sizes))

    assert [size for payload in payloads for size in read(payload)] == sizes
    assert max(len(payload.data) for payload in payloads) <= MAX_BYTES


def test_nothing_is_no_payload() -> None:
    assert sent() == []
