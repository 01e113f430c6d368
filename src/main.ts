#!/usr/bin/env bun
import { runProgram } from './cli/program.ts'

const stopped = new Promise<void>((resolve) => {
  let asked = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Asked twice: somebody does not want to wait. What is acknowledged is on disk.
      if (asked) process.exit(1)
      asked = true
      resolve()
    })
  }
})

process.exit(
  await runProgram(process.argv.slice(2), {
    environment: process.env,
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
    terminal: process.stdout.isTTY,
    stopped,
  }),
)
