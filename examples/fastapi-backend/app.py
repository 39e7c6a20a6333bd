"""A back end as it was before: it has no code for who may call what, and knows nothing of Sallyport."""

from fastapi import FastAPI, HTTPException
from sqlalchemy import text

from models import connect_engine

app = FastAPI(title="Agenticverz", docs_url=None, redoc_url=None)
engine = connect_engine()


@app.get("/api/v1/accounts/{account_id}")
def account(account_id: str) -> dict[str, str]:
    return {"account": account_id}


@app.get("/api/v1/runs/{run_id}")
def run(run_id: int) -> dict[str, str]:
    with engine.connect() as connection:
        state = connection.scalar(text("select state from runs where id = :id"), {"id": run_id})
    if state is None:
        raise HTTPException(404)
    return {"run": str(run_id), "state": state}


@app.post("/api/v1/telemetry/{source}", status_code=202)
async def telemetry(source: str, event: dict[str, str]) -> dict[str, str]:
    return {"source": source, **event}


@app.get("/__debug/openapi_nocache")
async def openapi_nocache() -> dict[str, object]:
    app.openapi_schema = None
    return app.openapi()
