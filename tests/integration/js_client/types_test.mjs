// node types_test.mjs
// hubbub.d.ts as the compiler of TypeScript sees it: a strict program is compiled against it, and it declares what hubbub.js has.
import fs from "node:fs";
import {createRequire} from "node:module";
import os from "node:os";
import path from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {judge, must, same} from "./harness.mjs";

const ts = createRequire(import.meta.url)("typescript");
const here = path.dirname(fileURLToPath(import.meta.url)), client = path.resolve(here, "../../../clients/js");

// The package is where its user has it, so that what package.json says of it is tried, too.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "hubbub-types-"));
process.on("exit", () => fs.rmSync(folder, {recursive: true}));
fs.mkdirSync(path.join(folder, "node_modules"));
fs.symlinkSync(client, path.join(folder, "node_modules/hubbub-client"));
fs.writeFileSync(path.join(folder, "package.json"), '{"type": "module"}');
fs.writeFileSync(path.join(folder, "main.mjs"), 'export * from "hubbub-client";\n');
const main = path.join(folder, "program.ts");
fs.copyFileSync(path.join(here, "types_program.ts"), main);

function compile(module, moduleResolution) {
  const options = {strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noImplicitOverride: true, noEmit: true,
                   target: ts.ScriptTarget.ES2022, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [], module, moduleResolution};
  const program = ts.createProgram([main], options);
  const problems = ts.getPreEmitDiagnostics(program).map(({file, start, messageText}) => {
    const where = file ? `${path.basename(file.fileName)}:${file.getLineAndCharacterOfPosition(start).line + 1}: ` : "";
    return where + ts.flattenDiagnosticMessageText(messageText, " ");
  });
  return {program, problems};
}

const {program, problems} = compile(ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16);
const checker = program.getTypeChecker();
const source = fs.readFileSync(path.join(client, "hubbub.js"), "utf8");
const module = await import(pathToFileURL(path.join(folder, "main.mjs")));
const hub = new module.Hubbub("ws://nowhere.test/", {WebSocket: class {}, connect: false});

const declarations = program.getSourceFiles().find(({fileName}) => fileName.endsWith("/hubbub.d.ts"));
const exported = new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(declarations)).map(symbol => [symbol.name, symbol]));
const is_value = symbol => (symbol.flags & ts.SymbolFlags.Value) !== 0;
const is_member = symbol => (symbol.flags & (ts.SymbolFlags.Property | ts.SymbolFlags.Method)) !== 0;
const members_of = name => [...exported.get(name).members?.values() ?? []].filter(is_member).map(member => member.name);
const sorted = names => [...new Set(names)].sort();

/** What programs can reach of an object. */
function public_of(object) {
  const names = Object.keys(object);
  for (let each = Object.getPrototypeOf(object); each !== Object.prototype && each !== Error.prototype; each = Object.getPrototypeOf(each))
    names.push(...Object.getOwnPropertyNames(each));
  return names.filter(name => name !== "constructor");
}
function events_of(name) {
  const on = checker.getTypeOfSymbolAtLocation(exported.get(name).members.get("on"), declarations);
  return on.getCallSignatures().map(signature => checker.getTypeOfSymbolAtLocation(signature.parameters[0], declarations).value);
}
const emitted_by = object => [...source.matchAll(/\b(\w+)\.emit\("(\w+)"/g)].filter(([, by]) => by === object).map(([, , event]) => event);

const cases = {
  "a strict program compiles, and what it does wrong does not": () => same(problems, []),
  "and so where packages are looked for as before": () => same(compile(ts.ModuleKind.ES2022, ts.ModuleResolutionKind.NodeJs).problems, []),
  "what is exported is what there is": () => same(sorted([...exported.values()].filter(is_value).map(({name}) => name)), sorted(Object.keys(module))),
  "objects have the members that are declared, and others only for the module itself": () => {
    for (const [name, object, of_module] of [["Hubbub", hub, ["ask", "emit", "leave"]],
                                             ["Subscription", hub.subscribe("room/1"), ["begun", "emit", "newest"]],
                                             ["HubbubError", new module.HubbubError("code", "message", "member"), ["name"]]])
      same([name, ...sorted([...members_of(name), ...of_module])], [name, ...sorted(public_of(object))]);
  },
  "events are those that are emitted": () => {
    same(sorted(events_of("Hubbub")), sorted(emitted_by("this")));
    same(sorted(events_of("Subscription")), sorted(emitted_by("subscription")));
  },
  "the module knows each name of an option or a member": () => {
    const known = new Set([...source.match(/\w+/g), "labels"]);  // these it only hands on
    same([...exported.keys()].flatMap(members_of).filter(name => !known.has(name)), []);
  },
  "that program uses all that is exported": () => {
    const used = new Set();
    (function look(node) {
      if (ts.isIdentifier(node)) used.add(node.text);
      ts.forEachChild(node, look);
    })(program.getSourceFile(main));
    same([...exported.keys(), ...[...exported.keys()].flatMap(members_of)].filter(name => !used.has(name)), []);
    must(exported.size === 12, `${exported.size} names are exported`);
  },
};

await judge(cases, check => check());
