// Runs a Node handler against the Lambda Runtime API, with nothing to install.
// Handlers may be async, or up to nodejs22 call back; CommonJS and ES modules both load.
import http from "node:http";
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const root = process.env.LAMBDA_TASK_ROOT;
const release = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV)?.[1]);
const hasCallbacks = !(release >= 24);

function call(method, name, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const data = body === undefined ? undefined : Buffer.from(body);
    if (data) headers = { ...headers, "Content-Length": data.length };
    const options = { host, port, method, agent, headers, path: "/2018-06-01/runtime/" + name };
    const request = http.request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(data);
  });
}

function describe(error) {
  const isError = error instanceof Error;
  return JSON.stringify({
    errorType: isError ? error.name : typeof error,
    errorMessage: isError ? error.message : String(error),
    trace: isError && error.stack ? error.stack.split("\n") : [],
  });
}

class LoadError extends Error {
  constructor(type, message) {
    super(message);
    this.name = type;
  }
}

async function load(handler) {
  const dot = handler.lastIndexOf(".");
  if (dot < 1) throw new LoadError("Runtime.MalformedHandlerName", "Bad handler");
  const [file, name] = [handler.slice(0, dot), handler.slice(dot + 1)];
  const stem = path.resolve(root, file);
  const found = [".js", ".mjs", ".cjs"].map((end) => stem + end).find((it) => fs.existsSync(it));
  if (!found) {
    throw new LoadError("Runtime.ImportModuleError", `Error: Cannot find module '${file}'`);
  }
  let loaded;
  try {
    loaded = await import(pathToFileURL(found));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new LoadError("Runtime.UserCodeSyntaxError", String(error));
    }
    if (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND") {
      throw new LoadError("Runtime.ImportModuleError", String(error));
    }
    // An .js file with `require` outside a CommonJS package is CommonJS on Lambda.
    if (!(error instanceof ReferenceError) || !found.endsWith(".js")) throw error;
    loaded = createRequire(found)(found);
  }
  const run = loaded[name] ?? loaded.default?.[name];
  if (typeof run !== "function") {
    throw new LoadError("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  }
  if (run.length >= 3 && !hasCallbacks) {
    throw new LoadError("Runtime.CallbackHandlerDeprecated", "nodejs24 and later call nothing back");
  }
  return run;
}

// What happens when the event loop is empty and the invocation has no answer yet.
let whenEmpty = () => {};
process.on("beforeExit", () => whenEmpty());

async function invoke(run, event, context) {
  return hasCallbacks ? invokeWithCallback(run, event, context) : run(event, context);
}

// As AWS's own runtimes up to nodejs22 do it: an error and context.done, succeed and fail answer at
// once; a callback when the event loop is empty, unless callbackWaitsForEmptyEventLoop is false; a
// promise when it resolves; whatever else a handler returns is nobody's answer.
function invokeWithCallback(run, event, context) {
  return new Promise((resolve, reject) => {
    let isFinished = false;
    const finish = (error, value, waits) => {
      if (isFinished) return;
      isFinished = true;
      whenEmpty = () => {};
      if (error !== undefined && error !== null) reject(error);
      else if (waits) whenEmpty = () => resolve(value);
      else resolve(value);
    };
    context.done = (error, value) => finish(error, value, false);
    context.succeed = (value) => finish(null, value, false);
    context.fail = (error) => finish(error ?? "handled", null, false);
    const callback = (error, value) => finish(error, value, context.callbackWaitsForEmptyEventLoop);
    whenEmpty = () => finish(null, null, false);
    try {
      const result = run(event, context, callback);
      if (typeof result?.then === "function") result.then(context.succeed, context.fail);
    } catch (error) {
      callback(error);
    }
  });
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: client ? JSON.parse(client) : undefined,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

let run;
try {
  run = await load(process.argv[2]);
} catch (error) {
  console.error(String(error?.stack ?? error));
  const type = { "Lambda-Runtime-Function-Error-Type": error?.name ?? "Runtime.Unknown" };
  await call("POST", "init/error", describe(error), type);
  process.exit(1);
}

for (;;) {
  const { headers, body } = await call("GET", "invocation/next");
  const id = headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"] ?? "";
  try {
    const result = await invoke(run, JSON.parse(body.toString() || "null"), contextOf(headers));
    await call("POST", `invocation/${id}/response`, JSON.stringify(result) ?? "null");
  } catch (error) {
    if (error?.code === "ECONNREFUSED" || error?.code === "ECONNRESET") throw error;
    console.error(`ERROR\tInvoke Error\t${describe(error)}`);
    const type = { "Lambda-Runtime-Function-Error-Type": error?.name ?? "Error" };
    await call("POST", `invocation/${id}/error`, describe(error), type);
  }
}
