/** The model that a path names: Gemini and Vertex AI (`models/X:verb`), Azure (`deployments/X/…`), `GET …/models/X`. */
import { plainPath } from './detect.ts';

/** Before the model, the model, behind it. The last pattern is a model that is asked for, slashes and all. */
const DEPLOYMENTS = /^([^?#]*\/deployments\/)([^/?#]+)(\/.*)$/is;
const PLACES: readonly RegExp[] = [
  /^([^?#]*\/(?:models|tunedModels|endpoints)\/)([^/:?#]+)(:[A-Za-z]+\/?(?:[?#].*)?)$/is,
  DEPLOYMENTS,
  /^([^?#]*\/v\d+(?:alpha|beta)?\d*\/models\/)([^?#]+?)(\/?(?:[?#].*)?)$/is,
];

/** As any server may read it; undefined on paths that name none. Cost: linear. */
export function modelOfPath(path: string): string | undefined {
  return placeIn(plainPath(path))?.[2];
}

/** The same path with another model; undefined on paths that name none as they are written. */
export function pathWithModel(path: string, model: string): string | undefined {
  const found = placeIn(path);
  if (found === undefined) return undefined;
  return `${found[1]}${encodeURIComponent(model).replaceAll('%40', '@')}${found[3]}`;
}

/** Whether the body may name a model besides, which not every server ignores. */
export function bodyNamesModelToo(path: string): boolean {
  return DEPLOYMENTS.test(plainPath(path));
}

function placeIn(path: string): RegExpExecArray | undefined {
  for (const place of PLACES) {
    const found = place.exec(path);
    if (found !== null) return found;
  }
  return undefined;
}

const LIST = /\/v\d+(?:alpha|beta)?\d*\/(?:[^?#]*\/)?models\/?$/i;

/** Whether the path lists models, each of which may or may not be for whoever asks. */
export function listsModels(path: string): boolean {
  return LIST.test(plainPath(path));
}
