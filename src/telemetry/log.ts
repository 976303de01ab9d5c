/** The log: JSON lines of known events with fields of known shapes. There is no way to log free text. */
import { type DestinationStream, destination, pino } from 'pino';
import { LOG_EVENTS, type LogEvent, type LogLevel } from './log-events.ts';
import { admitFields, type LogFields } from './log-fields.ts';

export interface Log {
  /** Writes one event. Never throws for what its fields hold; a value that is no such field's is withheld. */
  event(name: LogEvent, fields?: LogFields): void;
}

export interface LogOptions {
  /** Least grave level written; `silent` writes none. Default `info`. */
  readonly level?: LogLevel | 'silent';
  /** Receives complete lines. Default: standard output, written synchronously, so that a crash loses none. */
  readonly destination?: DestinationStream;
}

export function createLog(options: LogOptions = {}): Log {
  const logger = pino(
    {
      level: options.level ?? 'info',
      // Neither pid nor host name: the platform adds them, and a host name may be a customer's.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    options.destination ?? destination({ fd: 1, sync: true }),
  );
  return {
    event(name, fields = {}) {
      if (!Object.hasOwn(LOG_EVENTS, name)) return;
      const [level, message] = LOG_EVENTS[name];
      logger[level]({ event: name, ...admitFields(fields) }, message);
    },
  };
}
