import pino from 'pino'
import pretty from 'pino-pretty'

/**
 * What happened, for the operator. Fields are counts, names of tenants and destinations, and reasons: never a key, a
 * body, a URL's query, a user ID or an email.
 */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** A line of JSON each on standard output; `forTerminal` makes them lines for people, in colours. */
export function createLog(level: LogLevel, forTerminal: boolean): Log {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  }
  if (!forTerminal) return pino(options, pino.destination({ fd: 1, sync: true }))
  return pino(options, pretty({ sync: true, colorize: true, translateTime: 'SYS:HH:MM:ss.l' }))
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** A fault in words; for those of the program itself and of its database, which quote nothing that was received. */
export function faultText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
