/**
 * Writes config/refiner-sync.schema.json, or with `--check` exits with 1 when the file is not what would be written.
 */
import { jsonSchema } from './json-schema.ts'

const FILE = `${import.meta.dir}/../../config/refiner-sync.schema.json`

/** The text of the file, formatted as `bun fmt` of this project formats it. */
async function schemaText(): Promise<string> {
  const formatter = Bun.spawn([process.execPath, 'fmt', '--no-script', `--stdin-filepath=${FILE}`], {
    cwd: import.meta.dir,
    stdin: new Blob([JSON.stringify(jsonSchema())]),
    stdout: 'pipe',
  })
  const text = await new Response(formatter.stdout).text()
  if ((await formatter.exited) !== 0) throw new Error('formatting the JSON schema: bun fmt failed')
  return text
}

const wanted = await schemaText()
const file = Bun.file(FILE)
const current = (await file.exists()) ? await file.text() : ''
if (!process.argv.includes('--check')) await Bun.write(file, wanted)
else if (current !== wanted) {
  console.error('config/refiner-sync.schema.json is not current: run `bun run schema`')
  process.exitCode = 1
}
