/** What Envoy sends for one exchange, as bytes: enough of ext_proc's messages to warm up and to measure by. */
import { Buffer } from 'node:buffer';
import { WireWriter } from './wire.ts';

const FULL_DUPLEX_STREAMED = 4;
const REQUEST_HEADERS = 2;
const RESPONSE_HEADERS = 3;
const REQUEST_BODY = 4;
const RESPONSE_BODY = 5;

type Fields = (writer: WireWriter) => void;

const message = (write: Fields): Uint8Array => {
  const writer = new WireWriter(256);
  write(writer);
  return writer.finish();
};

function headers(field: number, entries: Readonly<Record<string, string>>, first: boolean) {
  return message((request) => {
    if (first)
      request.bytesField(
        11,
        message((config) => {
          config.varintField(1, FULL_DUPLEX_STREAMED);
          config.varintField(2, FULL_DUPLEX_STREAMED);
        }),
      );
    request.bytesField(
      field,
      message((http) =>
        http.bytesField(
          1,
          message((map) => {
            for (const [key, value] of Object.entries(entries))
              map.bytesField(
                1,
                message((header) => {
                  header.bytesField(1, Buffer.from(key));
                  header.bytesField(3, Buffer.from(value));
                }),
              );
          }),
        ),
      ),
    );
  });
}

function body(field: number, bytes: Uint8Array, endOfStream: boolean): Uint8Array {
  return message((request) =>
    request.bytesField(
      field,
      message((http) => {
        http.bytesField(1, bytes);
        if (endOfStream) http.varintField(2, 1);
      }),
    ),
  );
}

type Headers = Readonly<Record<string, string>>;

export const requestHeaders = (entries: Headers): Uint8Array =>
  headers(REQUEST_HEADERS, entries, true);
export const requestBody = (bytes: Uint8Array, endOfStream: boolean): Uint8Array =>
  body(REQUEST_BODY, bytes, endOfStream);
export const responseHeaders = (entries: Headers): Uint8Array =>
  headers(RESPONSE_HEADERS, entries, false);
export const responseBody = (bytes: Uint8Array, endOfStream: boolean): Uint8Array =>
  body(RESPONSE_BODY, bytes, endOfStream);

/** The messages of an exchange whose answer comes in these chunks. */
export function messagesOf(
  request: Headers,
  asked: Uint8Array,
  response: Headers,
  chunks: readonly Uint8Array[],
): readonly Uint8Array[] {
  return [
    requestHeaders(request),
    requestBody(asked, true),
    responseHeaders(response),
    ...chunks.map((chunk, index) => responseBody(chunk, index === chunks.length - 1)),
  ];
}
