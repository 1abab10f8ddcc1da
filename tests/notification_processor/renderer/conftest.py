import pytest

from notification_processor.renderer_pool import Pool


@pytest.fixture
def pool(monkeypatch):
    """A pool of its own, so that its renderers may be ended."""
    own = Pool()
    monkeypatch.setattr("notification_processor.renderer_jobs.POOL", own)
    yield own
    own.close()
