// Runs a Node handler against the Lambda Runtime API, with nothing to install.
// Handlers may be async, return a value, or call back; CommonJS and ES modules both load.
import http from "node:http";
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const root = process.env.LAMBDA_TASK_ROOT;

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
  return run;
}

function invoke(run, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, value) => (error ? reject(error) : resolve(value));
    const result = run(event, context, callback);
    if (typeof result?.then === "function") result.then(resolve, reject);
    else if (run.length < 3) resolve(result);
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
