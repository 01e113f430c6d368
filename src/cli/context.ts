/** What a command gets from the process it runs in. */
export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Writes a line to standard output. */
  print(line: string): void
  /** Writes a line to standard error. */
  printError(line: string): void
  /** Writes over the line that it wrote before on the terminal; without one, there is none to write over. */
  readonly showProgress?: (line: string) => void
  /** Resolves when whoever reads standard output has taken what was printed; without it, that is not known. */
  readonly drained?: () => Promise<void>
  /** Whether people read along, in colours. */
  readonly terminal: boolean
  /** Resolves when the process is asked to stop. */
  readonly stopped: Promise<void>
  /** From now on SIGHUP calls this; without it, it asks the process to stop. */
  onHangup(listener: () => void): void
}

/** What a command ends with: the process exits with it. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
