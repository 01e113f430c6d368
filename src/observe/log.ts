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

/** As much as waits for a reader that is slow; what is more is not said. In characters. */
const MOST_UNREAD = 1024 * 1024
/** How long the end of the process waits for a reader. */
const LONGEST_FLUSH_MS = 1000

/** A log whose lines may wait to be written. */
export interface WrittenLog extends Log {
  /** Writes what waits, before the process ends: for as long as somebody reads. */
  flush(): Promise<void>
}

/**
 * A line of JSON each on standard output; `forTerminal` makes them lines for people, in colours. Whoever reads them
 * slowly, or not at all, holds nobody up: lines are lost then.
 */
export function createLog(level: LogLevel, forTerminal: boolean): WrittenLog {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  }
  if (forTerminal) {
    const log = pino(options, pretty({ sync: true, colorize: true, translateTime: 'SYS:HH:MM:ss.l' }))
    return Object.assign(log, { flush: () => Promise.resolve() })
  }
  const output = pino.destination({ fd: 1, sync: false, maxLength: MOST_UNREAD })
  // A line that is being written just now is in none of its buffers.
  let isWriting = false
  output.on('drain', () => (isWriting = false))
  const write = output.write.bind(output)
  output.write = (line: string) => {
    isWriting = true
    return write(line)
  }
  return Object.assign(pino(options, output), {
    async flush() {
      if (!isWriting) return
      const { promise: drained, resolve } = Promise.withResolvers<void>()
      output.once('drain', resolve)
      output.once('error', resolve)
      await Promise.race([drained, Bun.sleep(LONGEST_FLUSH_MS)])
    },
  })
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** A fault in words; for those of the program itself and of its database, which quote nothing that was received. */
export function faultText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
