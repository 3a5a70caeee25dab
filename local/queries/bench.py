"""Writes the lakes, asks the questions and counts."""

import shutil
from collections import Counter

from local import names
from local.engines import Row, java, needs, server
from local.engines.trino import Trino
from local.lake import Lake
from local.queries import BUCKET, HOME, WORK, cells, others, ours
from local.queries.answers import same
from local.queries.engines import DuckReader, Engine, TrinoReader
from local.queries.events import Events
from local.queries.files import Files
from local.queries.questions import EVENT, PERSON_ALL, Question, questions
from local.queries.result import Reading, Result
from local.queries.traffic import CountingStack, Request


def bench(events: Events) -> Result:
    # Before minutes of other work.
    java.find(needs.TRINO)
    server.install()
    events.make()
    work = WORK / events.folder.name
    folders = ours.make(events, work) | others.make(events, work)
    result = Result(events, questions(events, folders[ours.HOURLY]))
    shutil.rmtree(HOME / "aws", ignore_errors=True)
    with CountingStack(HOME / "aws") as cloud:
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        lakes = {name: ours.publish(cloud, folders[name], name) for name in (ours.HOURLY, ours.COMPACTED)}
        lakes |= {name: others.publish(cloud, name, folders.get(name), events) for name in others.NAMES}
        files = {name: Files(lake) for name, lake in lakes.items()}
        with Trino(cloud) as trino:
            for engine in (TrinoReader(cloud, trino), DuckReader(cloud)):
                for question in result.questions:
                    ask(engine, question, lakes, files, result)
        for name, known in files.items():
            result.days[name] = known.of_dates(names.MASTER_TABLE, events.dates)
            for question in result.questions:
                result.asked[name, question.name] = bytes_asked(known, question)
    return result


def ask(engine: Engine, question: Question, lakes: dict[str, Lake], files: dict[str, Files], result: Result) -> None:
    answers: list[list[Row]] = []
    for name, lake in lakes.items():
        print(f"  {engine.name}, {name}: {question.name}", flush=True)
        rows, requests = engine.ask(lake, question)
        answers.append(rows)
        parts = files[name].read(requests, question.columns)
        result.readings.append(Reading(engine.name, name, question.name, len(rows), kinds(requests), parts))
    if question.name == PERSON_ALL:
        # Each tool has columns of its own for values of mixed types.
        answers = [[(len(rows),)] for rows in answers]
    same(answers)
    if question.name == EVENT:
        result.alone = cells.alone(question.columns, answers[0])


def kinds(requests: list[Request]) -> Counter[str]:
    return Counter("LIST" if request.method == "GET" and not request.key else request.method for request in requests)


def bytes_asked(files: Files, question: Question) -> int:
    return sum(
        part.end - part.start
        for file in files.of_dates(names.MASTER_TABLE, question.dates)
        for part in file.chunks_of(question.columns)
    )
