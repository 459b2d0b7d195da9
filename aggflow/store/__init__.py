"""Where states are kept: immutable segments in a folder or an object store."""

from aggflow.store.compaction import CompactionReport, compact
from aggflow.store.draft import Draft
from aggflow.store.garbage import GarbageReport, collect_garbage
from aggflow.store.resident import Resident, Vocabularies
from aggflow.store.segment import Buckets, SegmentFile, buckets_of
from aggflow.store.store import SegmentStore, StoredFile

__all__ = [
    "Buckets",
    "CompactionReport",
    "Draft",
    "GarbageReport",
    "Resident",
    "SegmentFile",
    "SegmentStore",
    "StoredFile",
    "Vocabularies",
    "buckets_of",
    "collect_garbage",
    "compact",
]
