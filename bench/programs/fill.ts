/** Fills a database, as the first argument says in JSON. */
import { fill, type Filling } from '../fill.ts'

await fill(JSON.parse(process.argv[2]!) as Filling)
console.log('{}')
