#!/usr/bin/env bun
import { runProgram } from './cli/program.ts'

const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
let asked = false
let onHangup = askToStop

function askToStop(): void {
  // Asked twice: somebody does not want to wait. What is acknowledged is on disk.
  if (asked) process.exit(1)
  asked = true
  stop()
}

process.on('SIGINT', askToStop)
process.on('SIGTERM', askToStop)
process.on('SIGHUP', () => onHangup())

process.exit(
  await runProgram(process.argv.slice(2), {
    environment: process.env,
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
    terminal: process.stdout.isTTY,
    stopped,
    onHangup(listener) {
      onHangup = listener
    },
  }),
)
