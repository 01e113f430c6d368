import { runProgram } from '../../src/cli/program.ts'

/** What a command came to. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command of the program to its end as a process of its own would, in a folder and with no environment but this
 * one; only without the quarter of a second that a process takes to start. It is no terminal, and nothing can be typed.
 */
export async function runHere(
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<Ran> {
  const out: string[] = []
  const errors: string[] = []
  const before = process.cwd()
  process.chdir(folder)
  try {
    const code = await runProgram(args, {
      environment,
      print: (line) => out.push(`${line}\n`),
      printError: (line) => errors.push(`${line}\n`),
      terminal: false,
      stopped: new Promise(() => {}),
      onHangup: () => {},
    })
    return { code, stdout: out.join(''), stderr: errors.join('') }
  } finally {
    process.chdir(before)
  }
}
