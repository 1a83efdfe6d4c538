from __future__ import annotations

SMOLQWERY_ACL_GROUPS = None
SMOLQWERY_DATASET = "empty"
SMOLQWERY_DATASET_LOCATION = "europe-west1"
SMOLQWERY_READER_GROUPS = None
