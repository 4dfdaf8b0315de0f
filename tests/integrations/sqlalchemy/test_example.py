"""The example shop, from the outside."""

import importlib
import sys
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[3] / "examples" / "shop_sqlalchemy"


@pytest.fixture
def client(tmp_path, monkeypatch):
    testclient = pytest.importorskip("fastapi.testclient")
    monkeypatch.setenv("SHOP_DATABASE", f"sqlite:///{tmp_path}/shop.db")
    monkeypatch.setenv("SHOP_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.syspath_prepend(str(SHOP))
    app = importlib.import_module("app")
    with testclient.TestClient(app.app) as client:
        yield client
    app.engine.dispose()
    for name in ("app", "models"):
        sys.modules.pop(name)


def test_the_shop(client):
    assert client.get("/customers/by-email/customer1@example.cn").json() == [2]
    assert client.get("/customers/by-phone/+86 138-1234-5671").json() == [2]
    assert client.get("/customers/2").json()["phone"] == "138****5671"
    assert client.get("/customers/2?view=owner").json()["phone"] == "13812345671"
    assert client.get("/customers/2?view=nobody").status_code == 403
    assert client.get("/customers/9").status_code == 404
    assert client.get("/orders").json()[0]["address"]["city"] == "上海"
    assert client.post("/keys/rotate").json() == {"re-encrypted": 3}
    assert client.get("/customers/1").json()["note"] == "放门口"
    new = {"email": "new@example.cn", "phone": "13900000000"}
    assert client.post("/customers", json=new).json() == {"id": 4}
    assert client.post("/customers", json=new).status_code == 409
    invalid = client.post("/customers", json={"email": "s3cret", "phone": "1"})
    assert invalid.status_code == 422
    assert "s3cret" not in invalid.text
