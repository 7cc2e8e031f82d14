//! From source text to facts: a walk over the statements of the syntax tree (tree-sitter-python).

use tree_sitter::{Node, Parser};

use super::expressions::{annotation, chain, text, values};
use super::facts::{Class, Definition, Expression, FileFacts, Function, Import, Kind, Member, Symbol};

/// Blocks inside blocks beyond this are no code that somebody wrote.
const DEEPEST: usize = 60;

/// Where a statement stands.
#[derive(Clone, Copy, Default)]
struct Scope<'s> {
    /// The class whose body, or whose method, this is.
    class: Option<usize>,
    /// The function whose body this is.
    function: Option<usize>,
    /// Name of the first parameter of a method, `self` by custom.
    receiver: Option<&'s str>,
    depth: usize,
}

/// The facts of a file; broken code yields what could be recognised.
pub(super) fn read_file(path: &str, source: &str) -> FileFacts {
    let mut reading = Reading {
        source,
        facts: FileFacts::at(path),
    };
    let mut parser = Parser::new();
    // The grammar is built for this version of the parser; a tree is missing only where parsing was cancelled.
    if parser.set_language(&tree_sitter_python::LANGUAGE.into()).is_ok()
        && let Some(tree) = parser.parse(source, None)
    {
        reading.statements(tree.root_node(), Scope::default());
    }
    reading.facts
}

struct Reading<'s> {
    source: &'s str,
    facts: FileFacts,
}

impl<'s> Reading<'s> {
    fn statements(&mut self, block: Node<'_>, scope: Scope<'s>) {
        if scope.depth > DEEPEST {
            return;
        }
        let scope = Scope {
            depth: scope.depth + 1,
            ..scope
        };
        let mut cursor = block.walk();
        for node in block.named_children(&mut cursor) {
            match node.kind() {
                "decorated_definition" => {
                    if let Some(definition) = node.child_by_field_name("definition") {
                        self.definition(definition, scope, is_property(node, self.source));
                    }
                }
                "function_definition" | "class_definition" => self.definition(node, scope, false),
                "import_statement" => self.import_modules(node, scope),
                "import_from_statement" => self.import_names(node, scope),
                "assignment" => self.assignment(node, scope),
                "as_pattern" => self.with_item(node, scope),
                "return_statement" => self.returned(node, scope),
                "for_statement" => {
                    self.loop_variable(node, scope);
                    self.statements(node, scope);
                }
                "if_statement" => {
                    self.narrowed(node, scope);
                    self.statements(node, scope);
                }
                // What holds statements, or what holds those two.
                "block"
                | "ERROR"
                | "elif_clause"
                | "else_clause"
                | "try_statement"
                | "except_clause"
                | "finally_clause"
                | "while_statement"
                | "with_statement"
                | "with_clause"
                | "with_item"
                | "match_statement"
                | "case_clause"
                | "expression_statement" => {
                    self.statements(node, scope);
                }
                _ => {}
            }
        }
    }

    fn definition(&mut self, node: Node<'_>, scope: Scope<'s>, is_property: bool) {
        let Some(name) = node.child_by_field_name("name") else {
            return;
        };
        let line = name.start_position().row + 1;
        let name = text(name, self.source);
        let at_top = scope.class.is_none() && scope.function.is_none();
        if node.kind() == "class_definition" {
            self.define(name, line, Kind::Class, None);
            let bases = node.child_by_field_name("superclasses");
            let index = self.facts.classes.len();
            self.facts.classes.push(Class {
                name: name.to_owned(),
                line,
                bases: bases.map(|bases| self.bases(bases)).unwrap_or_default(),
                ..Class::default()
            });
            if at_top {
                self.facts.symbols.insert(name.to_owned(), Symbol::Class(index));
            }
            let inside = Scope {
                class: Some(index),
                function: None,
                receiver: None,
                ..scope
            };
            self.body(node, inside);
            return;
        }

        let is_method = scope.class.is_some() && scope.function.is_none();
        let class = scope.class.filter(|_| is_method);
        self.define(name, line, if is_method { Kind::Method } else { Kind::Function }, class);
        let annotated = node.child_by_field_name("return_type");
        let returns = annotated
            .map(|node| annotation(text(node, self.source)))
            .unwrap_or_default();
        let index = self.facts.functions.len();
        if at_top {
            self.facts.symbols.insert(name.to_owned(), Symbol::Function(index));
        }
        let parameters = node.child_by_field_name("parameters");
        let (first, locals) = parameters.map(|node| self.parameters(node)).unwrap_or_default();
        self.facts.functions.push(Function {
            line,
            returns,
            is_annotated: annotated.is_some(),
            locals,
        });
        let inside = Scope {
            function: Some(index),
            receiver: if is_method { first } else { scope.receiver },
            ..scope
        };
        self.body(node, inside);
        if is_method && let Some(function) = self.facts.functions.get(index) {
            let returns = function.returns.clone();
            self.member(scope.class, name, line, !is_property, returns);
        }
    }

    fn body(&mut self, node: Node<'_>, scope: Scope<'s>) {
        if let Some(body) = node.child_by_field_name("body") {
            self.statements(body, scope);
        }
    }

    fn define(&mut self, name: &str, line: usize, kind: Kind, class: Option<usize>) {
        if !(name.starts_with("__") && name.ends_with("__")) {
            self.facts.definitions.push(Definition {
                name: name.to_owned(),
                line,
                kind,
                class,
            });
        }
    }

    /// The first assignment of an attribute says where it is defined; later ones what else it may hold.
    fn member(&mut self, class: Option<usize>, name: &str, line: usize, is_method: bool, value: Vec<Expression>) {
        let Some(class) = class.and_then(|index| self.facts.classes.get_mut(index)) else {
            return;
        };
        match class.members.get_mut(name) {
            Some(member) => member.value.extend(value),
            None => {
                let member = Member { line, is_method, value };
                class.members.insert(name.to_owned(), member);
            }
        }
    }

    fn bases(&self, arguments: Node<'_>) -> Vec<Expression> {
        let mut cursor = arguments.walk();
        arguments
            .named_children(&mut cursor)
            .filter_map(|node| match node.kind() {
                // `Base[T]` has the members of `Base`.
                "subscript" => node
                    .child_by_field_name("value")
                    .and_then(|node| chain(node, self.source)),
                _ => chain(node, self.source),
            })
            .collect()
    }

    /// The name of the first parameter, and what the annotated ones hold.
    fn parameters(&self, node: Node<'_>) -> (Option<&'s str>, Vec<(String, Vec<Expression>)>) {
        let mut cursor = node.walk();
        let parameters: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
        let first = parameters.first().filter(|node| node.kind() == "identifier");
        let annotated = parameters.iter().filter_map(|node| {
            let kind = node.child_by_field_name("type")?;
            let name = node.child_by_field_name("name").or_else(|| node.named_child(0))?;
            Some((text(name, self.source).to_owned(), annotation(text(kind, self.source))))
        });
        (first.map(|node| text(*node, self.source)), annotated.collect())
    }

    fn assignment(&mut self, node: Node<'_>, scope: Scope<'s>) {
        let Some(target) = node.child_by_field_name("left") else {
            return;
        };
        let line = target.start_position().row + 1;
        let mut value = match node.child_by_field_name("type") {
            Some(kind) => annotation(text(kind, self.source)),
            None => Vec::new(),
        };
        if let Some(right) = node.child_by_field_name("right") {
            value.extend(values(right, self.source));
        }
        match target.kind() {
            "identifier" => self.assign_name(text(target, self.source), line, value, scope),
            "attribute" => {
                let object = target.child_by_field_name("object").map(|node| text(node, self.source));
                let name = target.child_by_field_name("attribute");
                if let (Some(name), true) = (name, object.is_some() && object == scope.receiver) {
                    let value = self.without_locals(value, scope);
                    let name = text(name, self.source);
                    self.member(scope.class, name, line, false, value);
                }
            }
            _ => {}
        }
    }

    fn assign_name(&mut self, name: &str, line: usize, value: Vec<Expression>, scope: Scope<'s>) {
        if let Some(function) = scope.function {
            if let Some(function) = self.facts.functions.get_mut(function) {
                function.locals.push((name.to_owned(), value));
            }
        } else if scope.class.is_some() {
            self.member(scope.class, name, line, false, value);
        } else {
            let index = self.facts.variables.len();
            let known = self.facts.symbols.get(name).copied();
            match known {
                Some(Symbol::Variable(index)) => {
                    if let Some(variable) = self.facts.variables.get_mut(index) {
                        variable.extend(value);
                    }
                }
                // A name that is imported, or defined, and then replaced, is still best known by its definition.
                Some(_) => {}
                None => {
                    self.facts.symbols.insert(name.to_owned(), Symbol::Variable(index));
                    self.facts.variables.push(value);
                    self.define(name, line, Kind::Variable, None);
                }
            }
        }
    }

    /// Values that name a parameter or variable of the function, replaced by what that holds: outside it, the name means nothing.
    fn without_locals(&self, value: Vec<Expression>, scope: Scope<'s>) -> Vec<Expression> {
        let function = scope.function.and_then(|index| self.facts.functions.get(index));
        let locals = function.map(|function| function.locals.as_slice()).unwrap_or_default();
        let replaced = |expression: Expression| match expression.as_slice() {
            [only] if !only.called => locals
                .iter()
                .rev()
                .find(|(name, _)| *name == only.name)
                .map_or_else(|| vec![expression.clone()], |(_, held)| held.clone()),
            _ => vec![expression],
        };
        value.into_iter().flat_map(replaced).collect()
    }

    /// What a function returns tells its type where no annotation does.
    fn returned(&mut self, node: Node<'_>, scope: Scope<'s>) {
        let Some(value) = node.named_child(0) else { return };
        let value = self.without_locals(values(value, self.source), scope);
        let function = scope.function.and_then(|index| self.facts.functions.get_mut(index));
        if let Some(function) = function.filter(|function| !function.is_annotated) {
            function.returns.extend(value);
        }
    }

    /// `for name in values`: a container is known by what it holds, as its annotation names that too.
    fn loop_variable(&mut self, node: Node<'_>, scope: Scope<'s>) {
        let (Some(target), Some(values_of)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
        else {
            return;
        };
        if scope.function.is_some() && target.kind() == "identifier" {
            let line = target.start_position().row + 1;
            self.assign_name(text(target, self.source), line, values(values_of, self.source), scope);
        }
    }

    /// `if isinstance(name, Class)`.
    fn narrowed(&mut self, node: Node<'_>, scope: Scope<'s>) {
        let Some(condition) = node.child_by_field_name("condition") else {
            return;
        };
        let rest = text(condition, self.source).strip_prefix("isinstance(");
        let arguments = rest
            .and_then(|rest| rest.split(')').next())
            .and_then(|inside| inside.split_once(','));
        if let (Some((name, classes)), Some(_)) = (arguments, scope.function) {
            let line = condition.start_position().row + 1;
            self.assign_name(name.trim(), line, annotation(classes), scope);
        }
    }

    /// `with Class() as name`.
    fn with_item(&mut self, node: Node<'_>, scope: Scope<'s>) {
        let (Some(value), Some(target)) = (node.named_child(0), node.child_by_field_name("alias")) else {
            return;
        };
        let name = text(target, self.source);
        if scope.function.is_some() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let line = target.start_position().row + 1;
            self.assign_name(name, line, values(value, self.source), scope);
        }
    }

    /// `import a.b, c as d`.
    fn import_modules(&mut self, node: Node<'_>, scope: Scope<'s>) {
        let mut cursor = node.walk();
        for item in node.children_by_field_name("name", &mut cursor) {
            let (module, alias) = self.renamed(item);
            let parts = parts(module);
            let (name, module) = match (alias, parts.first()) {
                (Some(alias), _) => (alias.to_owned(), parts),
                (None, Some(first)) => (first.clone(), vec![first.clone()]),
                (None, None) => continue,
            };
            self.bind(name, module, None, scope);
        }
    }

    /// `from module import a, b as c`, or all names.
    fn import_names(&mut self, node: Node<'_>, scope: Scope<'s>) {
        let Some(module) = node.child_by_field_name("module_name") else {
            return;
        };
        let module = text(module, self.source);
        let dots = module.bytes().take_while(|byte| *byte == b'.').count();
        let rest = parts(module.trim_start_matches(['.', ' ']));
        let module = if dots == 0 {
            rest
        } else {
            let package = self.facts.package();
            let kept = (package.len() + 1).saturating_sub(dots);
            package.iter().take(kept).cloned().chain(rest).collect()
        };
        let mut cursor = node.walk();
        if node
            .named_children(&mut cursor)
            .any(|child| child.kind() == "wildcard_import")
        {
            self.facts.stars.push(module);
            return;
        }
        let mut cursor = node.walk();
        for item in node.children_by_field_name("name", &mut cursor) {
            let (name, alias) = self.renamed(item);
            let bound = alias.unwrap_or(name).to_owned();
            self.bind(bound, module.clone(), Some(name.to_owned()), scope);
        }
    }

    fn bind(&mut self, name: String, module: Vec<String>, item: Option<String>, scope: Scope<'s>) {
        let index = self.facts.imports.len();
        // Of several imports under `if` or `try` the first counts, and one of the whole file before one of a function.
        let at_top = scope.function.is_none() && scope.class.is_none();
        if at_top || !self.facts.symbols.contains_key(&name) {
            self.facts.symbols.entry(name.clone()).or_insert(Symbol::Import(index));
        }
        self.facts.imports.push(Import { name, module, item });
    }

    /// `name` or `name as alias`.
    fn renamed(&self, item: Node<'_>) -> (&'s str, Option<&'s str>) {
        if item.kind() != "aliased_import" {
            return (text(item, self.source), None);
        }
        let field = |name| item.child_by_field_name(name).map(|node| text(node, self.source));
        (field("name").unwrap_or_default(), field("alias"))
    }
}

fn parts(dotted: &str) -> Vec<String> {
    dotted
        .split('.')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A decorator makes the method a value: `property`, `cached_property`, `name.setter`.
fn is_property(decorated: Node<'_>, source: &str) -> bool {
    let mut cursor = decorated.walk();
    decorated
        .named_children(&mut cursor)
        .filter(|node| node.kind() == "decorator")
        .any(|node| text(node, source).contains("property") || text(node, source).contains(".setter"))
}
