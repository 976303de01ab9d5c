"""Presidio's pattern recognisers over texts: a JSON list of {id, text} in, their findings and the time taken out."""
import importlib.metadata
import inspect
import json
import logging
import sys
import time

import spacy
from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
from presidio_analyzer import predefined_recognizers
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

logging.disable(logging.CRITICAL)


class Words(NlpEngine):
    """Splits texts into words, for the words around a finding; no model, so no names of people or places."""

    def __init__(self):
        self.nlp = spacy.blank("en")

    def load(self):
        pass

    def is_loaded(self):
        return True

    def process_text(self, text, language):
        doc = self.nlp(text)
        return NlpArtifacts(
            entities=[],
            tokens=doc,
            tokens_indices=[token.idx for token in doc],
            lemmas=[token.text.lower() for token in doc],
            nlp_engine=self,
            language=language,
        )

    def process_batch(self, texts, language, **_):
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word, language):
        return self.nlp.vocab[word].is_stop

    def is_punct(self, word, language):
        return self.nlp.vocab[word].is_punct

    def get_supported_entities(self):
        return []

    def get_supported_languages(self):
        return ["en"]


def main(source, target):
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    # Those that are not switched on by default are only asked about what nobody else finds.
    known = {entity for one in registry.recognizers for entity in one.supported_entities}
    for _, kind in inspect.getmembers(predefined_recognizers, inspect.isclass):
        if not issubclass(kind, PatternRecognizer) or kind is PatternRecognizer:
            continue
        try:
            one = kind(supported_language="en")
        except Exception:
            continue
        if not set(one.supported_entities) & known:
            registry.add_recognizer(one)
    model_only = {"PERSON", "LOCATION", "NRP", "ORGANIZATION", "DATE_TIME"}
    engine = AnalyzerEngine(nlp_engine=Words(), registry=registry, supported_languages=["en"])
    types = [one for one in engine.get_supported_entities("en") if one not in model_only]
    with open(source, encoding="utf8") as file:
        texts = json.load(file)
    engine.analyze(text="warm up 1", language="en")
    rows = []
    begin = time.process_time()
    for one in texts:
        found = engine.analyze(text=one["text"], language="en", entities=types)
        rows.append((one["id"], found))
    seconds = time.process_time() - begin
    with open(target, "w", encoding="utf8") as file:
        json.dump(
            {
                "version": importlib.metadata.version("presidio-analyzer"),
                "types": types,
                "seconds": seconds,
                "rows": [
                    {
                        "id": name,
                        "spans": [
                            {"start": one.start, "end": one.end, "type": one.entity_type} for one in found
                        ],
                    }
                    for name, found in rows
                ],
            },
            file,
        )


main(sys.argv[1], sys.argv[2])
