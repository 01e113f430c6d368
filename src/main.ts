#!/usr/bin/env bun
const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
let asked = false
let hungUp = false
let onHangup = () => {
  hungUp = true
}

function askToStop(): void {
  // Asked twice: somebody does not want to wait. What is acknowledged is on disk.
  if (asked) process.exit(1)
  asked = true
  stop()
}

function listen(listener: () => void): void {
  onHangup = listener
  if (hungUp) listener()
  hungUp = false
}

// Who reads along may have read enough; what cannot be written otherwise is a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.on('SIGINT', askToStop)
process.on('SIGTERM', askToStop)
process.on('SIGHUP', () => onHangup())

void run()

async function run(): Promise<never> {
  // Only now, since it takes a while: a service manager may well reload what it has just started.
  const { runProgram } = await import('./cli/program.ts')
  let listens = false
  const running = runProgram(process.argv.slice(2), {
    environment: process.env,
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
    ...(process.stderr.isTTY && {
      showProgress: (line: string) => void process.stderr.write(`\r\u001b[2K${line}`),
    }),
    drained: () =>
      process.stdout.writableNeedDrain
        ? new Promise((resolve) => process.stdout.once('drain', resolve))
        : Promise.resolve(),
    terminal: process.stdout.isTTY,
    stopped,
    onHangup(listener) {
      listens = true
      listen(listener)
    },
  })
  // A command that has nothing to read again ends with its terminal.
  setImmediate(() => {
    if (!listens) listen(askToStop)
  })
  process.exit(await running)
}
