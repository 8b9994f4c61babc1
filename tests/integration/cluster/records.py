"""What publishers were told and subscribers have heard, and the judge of it.

A record is what one subscriber heard of one topic, over all its connections, as it came:
    ("open", node, since)               it has connected to that run of a node, and asked for what is behind a position, or None
    ("in" | "recovered" | "lost", e, o) what it was told of its position: epoch and offset, 0 and 0 in a topic that does not remember
    ("m", e, o, source, number)         a publication; 0 and 0 where it has no place
"""
import collections

KINDS = ("loss", "double", "order", "answer")


class Publication:
    """`source` is a publisher and which of its connections; what one publishes over one connection is counted from 1."""
    __slots__ = ("topic", "source", "number", "outcome", "position", "retried")

    def __init__(self, topic, source, number):
        self.topic, self.source, self.number = topic, source, number
        self.outcome = None  # "ok", "failed" (it is nowhere), "maybe" (its connection died first)
        self.position = None  # (epoch, offset), if it was told one
        self.retried = False  # published again, with the same id, where it was not known what had become of it


class Verdict:
    """Violations by kind. "loss": a hole that nobody announced, or what has not come to the end; "double"; "order": two orders, an
    epoch that nobody announced, a place that is another's; "answer": what a publisher was told is not so."""

    def __init__(self):
        self.found = {kind: [] for kind in KINDS}
        self.announced = 0
        self.recovered = 0
        self.heard = 0
        self.unplaced = 0  # of them, in topics that remember

    def blame(self, kind, sentence):
        self.found[kind].append(sentence)

    def count(self, kind):
        return len(self.found[kind])


def judge(publications, records, ends=(), living=None, node_of=None):
    """`publications`: by (topic, source, number). `records`: by (subscriber, topic). `ends`: of each topic the last publications,
    which everybody must have heard on the last connection. `living`: by source, whether its node has lived to the end, and under
    "newest" by (topic, source) its last number. `node_of`: by source, its node."""
    verdict = Verdict()
    places, place_of = {}, {}
    for (who, topic), record in records.items():
        if topic.startswith("plain/"):
            judge_plain(verdict, publications, who, topic, record, living or {}, node_of or {})
        else:
            judge_placed(verdict, publications, who, topic, record, places, place_of)
    judge_order(verdict, publications, places)
    judge_answers(verdict, publications, places, place_of)
    judge_ends(verdict, records, ends)
    return verdict


def judge_placed(verdict, publications, who, topic, record, places, place_of):
    """A topic that remembers: position after position, or it is announced."""
    at = asked = None
    is_new = False
    seen, unplaced, last_unplaced = set(), set(), {}
    for event in record:
        kind = event[0]
        if kind == "open":
            is_new, asked = True, event[2]
            unplaced.clear()  # those come again, with their place, on a connection that was not there
            last_unplaced.clear()
            continue
        if kind != "m":
            position = event[1:3]
            if kind == "recovered" and is_new:
                verdict.recovered += 1
                if position != asked or position != at:
                    verdict.blame("order", f"{who} {topic}: recovered at {position}, but was at {at} and asked for {asked}")
            else:
                if not is_new or asked is not None:
                    verdict.announced += 1
                seen.clear()
                unplaced.clear()
            at, is_new = position, False
            continue
        _, epoch, offset, source, number = event
        what = (source, number)
        verdict.heard += 1
        name = f"{who} {topic}: {source} {number} at ({epoch}, {offset})"
        if (topic, *what) not in publications:
            verdict.blame("order", f"{name}: nobody has published that")
            continue
        if is_new:
            verdict.blame("order", f"{name}: before it was told where it begins")
        if what in unplaced:
            verdict.blame("double", f"{name}: it had come without a place")
        if not epoch:
            verdict.unplaced += 1
            if what in seen:
                verdict.blame("double", f"{name}: it had come with its place")
            if number < last_unplaced.get(source, 0):
                verdict.blame("order", f"{name}: behind {last_unplaced[source]} of that source")
            last_unplaced[source] = number
            unplaced.add(what)
            continue
        if what in seen:
            verdict.blame("double", f"{name}: it had come")
        seen.add(what)
        if at is None or epoch != at[0]:
            verdict.blame("order", f"{name}: behind {at}, and nobody has announced another epoch")
        elif offset <= at[1]:
            verdict.blame("double", f"{name}: behind {at}")
        elif offset != at[1] + 1:
            verdict.blame("loss", f"{name}: behind {at}")
        at = (epoch, offset)
        if places.setdefault((topic, epoch, offset), what) != what:
            verdict.blame("order", f"{name}: that is the place of {places[topic, epoch, offset]}")
        if place_of.setdefault((topic, epoch, *what), offset) != offset:
            verdict.blame("double", f"{name}: it has a place, {place_of[topic, epoch, *what]}")


def judge_plain(verdict, publications, who, topic, record, living, node_of):
    """A topic that does not remember: each source in its order, and once, and whole since the last notice; of those on the same node
    whole since it was subscribed, whatever happens to the broker."""
    last, here = {}, None

    def check_hole(source, begin, end, name):
        for number in range(begin, end):
            missed = publications.get((topic, source, number))
            if missed and missed.outcome == "ok":
                verdict.blame("loss", f"{name}: {source} {number} has not come")

    for event in record:
        if event[0] == "open":
            here = event[1]
            last.clear()
        if event[0] == "lost":
            verdict.announced += 1
            last = {source: known for source, known in last.items() if node_of.get(source) == here}
        if event[0] != "m":
            continue
        _, epoch, _, source, number = event
        verdict.heard += 1
        name = f"{who} {topic}: {source} {number}"
        if (topic, source, number) not in publications:
            verdict.blame("order", f"{name}: nobody has published that")
            continue
        if epoch:
            verdict.blame("order", f"{name}: it has a place")
        before = last.get(source)
        if before is not None:
            if number == before[0] or number in before[1]:
                verdict.blame("double", f"{name}: it had come")
                continue
            if number < before[0]:
                verdict.blame("order", f"{name}: behind {before[0]}")
                continue
            check_hole(source, before[0] + 1, number, name)
            before[1].add(number)
            last[source] = (number, before[1])
        else:
            last[source] = (number, {number})
    newest = living.get("newest", {})
    for source, (number, _) in last.items():
        if living.get(source):
            check_hole(source, number + 1, newest.get((topic, source), 0) + 1, f"{who} {topic}: at the end")


def judge_order(verdict, publications, places):
    """In the broker's order what a source has published over one connection is in its order, but for what was published again."""
    orders = collections.defaultdict(list)
    for (topic, epoch, offset), (source, number) in places.items():
        orders[topic, epoch, source].append((offset, number))
    for (topic, epoch, source), order in orders.items():
        before = 0
        for offset, number in sorted(order):
            if publications[topic, source, number].retried:
                continue
            if number < before:
                verdict.blame("order", f"{topic}: {source} {number} at ({epoch}, {offset}) is behind its {before}")
            before = number


def judge_answers(verdict, publications, places, place_of):
    """Publishers were told where their publications are, and what is nowhere."""
    told = {}
    anywhere = {(topic, *what) for (topic, _, _), what in places.items()}
    for key, publication in publications.items():
        name = f"{publication.topic}: {publication.source} {publication.number}"
        if publication.outcome is None:
            verdict.blame("answer", f"{name}: nobody was told what became of it")
        if publication.outcome == "failed" and key in anywhere:
            verdict.blame("answer", f"{name}: it is said to have failed, and has come")
        if not publication.position:
            continue
        epoch, offset = publication.position
        what = key[1:]
        if told.setdefault((publication.topic, epoch, offset), what) != what:
            verdict.blame("answer", f"{name}: told ({epoch}, {offset}), as was {told[publication.topic, epoch, offset]}")
        there = places.get((publication.topic, epoch, offset))
        if there is not None and there != what:
            verdict.blame("answer", f"{name}: told ({epoch}, {offset}), where {there} is")
        other = place_of.get((publication.topic, epoch, *what))
        if other is not None and other != offset:
            verdict.blame("answer", f"{name}: told ({epoch}, {offset}), and has come at {other}")


def judge_ends(verdict, records, ends):
    for (who, topic), record in records.items():
        begin = max((i for i, event in enumerate(record) if event[0] == "open"), default=0)
        heard = {event[3:] for event in record[begin:] if event[0] == "m"}
        for end_topic, source, number in ends:
            if end_topic == topic and (source, number) not in heard:
                verdict.blame("loss", f"{who} {topic}: the end has not come, {source} {number}")


# ---- whether the judge finds what there is to be found

def self_test(check):
    def of(topic, count=5, source="p1.1", **more):
        made = {}
        for number in range(1, count + 1):
            made[topic, source, number] = each = Publication(topic, source, number)
            each.outcome = "ok"
            for name, values in more.items():
                if number in values:
                    setattr(each, name, values[number])
        return made

    def said(*numbers, epoch=7, source="p1.1"):
        return [("m", epoch, offset, source, number) for offset, number in numbers]

    def case(name, kind, publications, *records, topic="kept/a", **more):
        verdict = judge(publications, {(f"s{i}", topic): record for i, record in enumerate(records)}, **more)
        found = {each: verdict.count(each) for each in KINDS if verdict.count(each)}
        check(f"self-test: {name}", kind in found if kind else not found, str(verdict.found))
        return verdict

    begin = [("open", "a", None), ("in", 7, 0)]
    kept, plain = of("kept/a"), of("plain/a")
    whole = begin + said((1, 1), (2, 2), (3, 3))
    case("a whole record", None, kept, whole)
    case("one that came back", None, kept, whole + [("open", "b", (7, 3)), ("recovered", 7, 3)] + said((4, 4)))
    case("a hole", "loss", kept, begin + said((1, 1), (3, 3)))
    verdict = case("a hole that was announced", None, kept, begin + said((1, 1)) + [("lost", 7, 2)] + said((3, 3)))
    check("self-test: it is counted", verdict.announced == 1)
    case("a hole behind the notice", "loss", kept, begin + [("lost", 7, 2)] + said((4, 4)))
    case("an offset that came twice", "double", kept, begin + said((1, 1), (1, 1)))
    case("a publication at two offsets", "double", kept, begin + said((1, 1), (2, 1)))
    case("the same, heard by two", "double", kept, begin + said((1, 1)), [("open", "a", None), ("in", 7, 1)] + said((2, 1)))
    case("again in another epoch", None, kept, begin + said((1, 1)) + [("lost", 8, 0)] + said((1, 1), epoch=8))
    case("an epoch that nobody announced", "order", kept, begin + said((1, 1)) + said((1, 2), epoch=8))
    case("two orders", "order", kept, whole, begin + said((1, 1), (2, 3)))
    case("a source out of its order", "order", kept, begin + said((1, 2), (2, 1)))
    case("one that was published again", None, of("kept/a", retried={1: True}), begin + said((1, 2), (2, 1)))
    case("recovered somewhere else", "order", kept, whole + [("open", "b", (7, 3)), ("recovered", 7, 2)])
    case("before it was told where it begins", "order", kept, [("open", "a", (7, 0))] + said((1, 1)))
    case("what nobody has published", "order", kept, begin + said((1, 6)))
    unplaced = [("m", 0, 0, "p1.1", 2)]
    case("without a place, and then with it", "double", kept, begin + said((1, 1)) + unplaced + said((2, 2)))
    case("without a place, and told of it", None, kept, begin + said((1, 1)) + unplaced + [("lost", 7, 2)] + said((3, 3)))
    case("without a place twice", "double", kept, begin + unplaced + unplaced)
    case("with a place, and then without", "double", kept, begin + said((1, 2)) + unplaced)
    case("a place that is another's", "answer", of("kept/a", position={1: (7, 2)}), whole)
    case("a place that two were told", "answer", of("kept/a", position={1: (7, 9), 2: (7, 9)}), begin)
    case("failed, and has come", "answer", of("kept/a", outcome={2: "failed"}), whole)
    case("never answered", "answer", of("kept/a", outcome={5: None}), whole)
    case("an end that has not come", "loss", kept, whole, ends=[("kept/a", "p1.1", 4)])
    case("an end that came", None, kept, whole, ends=[("kept/a", "p1.1", 3)])

    def heard(*numbers):
        return [("m", 0, 0, "p1.1", number) for number in numbers]

    begin = [("open", "a", None), ("in", 0, 0)]
    living = {"p1.1": True, "newest": {("plain/a", "p1.1"): 5}}
    case("plain: whole from anywhere", None, plain, begin + heard(2, 3, 4, 5), topic="plain/a", living=living)
    case("plain: a hole", "loss", plain, begin + heard(1, 3), topic="plain/a")
    case("plain: a hole that was announced", None, plain, begin + heard(1) + [("lost", 0, 0)] + heard(3), topic="plain/a")
    case("plain: a hole on the same node", "loss", plain, begin + heard(1) + [("lost", 0, 0)] + heard(3), topic="plain/a",
         node_of={"p1.1": "a"})
    case("plain: a hole of what failed", None, of("plain/a", outcome={2: "maybe"}), begin + heard(1, 3), topic="plain/a")
    case("plain: a double", "double", plain, begin + heard(1, 2, 2), topic="plain/a")
    case("plain: a late double", "double", plain, begin + heard(1, 2, 3, 2), topic="plain/a")
    case("plain: out of order", "order", plain, begin + heard(2, 1), topic="plain/a")
    case("plain: the tail is missing", "loss", plain, begin + heard(1, 2), topic="plain/a", living=living)
    case("plain: it has a place", "order", plain, begin + said((1, 1)), topic="plain/a")
