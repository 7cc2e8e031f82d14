//! What one file defines and imports, read from its syntax tree.

use std::collections::HashMap;

/// A chain such as `a.b().c`; an instance of the class `C` is `C()`.
pub(super) type Expression = Vec<Segment>;

/// One name of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The name.
    pub(super) name: String,
    /// It is called: what follows hangs on the result.
    pub(super) called: bool,
}

/// What kind of thing a name is defined as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A function that is no method.
    Function,
    /// A class.
    Class,
    /// A function in the body of a class.
    Method,
    /// Assigned at the top level of a file.
    Variable,
    /// Assigned in the body of a class, or to `self`.
    Attribute,
}

impl Kind {
    /// It is reached through a dot.
    pub(super) fn is_member(self) -> bool {
        matches!(self, Self::Method | Self::Attribute)
    }
}

/// A name and the line, from 1, where it is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    /// The name.
    pub(super) name: String,
    /// Line of the name, from 1.
    pub(super) line: usize,
    /// What it is.
    pub(super) kind: Kind,
    /// Index of the class in whose body it stands.
    pub(super) class: Option<usize>,
}

/// A name that an import statement binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// The name in this file.
    pub(super) name: String,
    /// The module, as parts of its path; relative ones are resolved to where they stand in the repository.
    pub(super) module: Vec<String>,
    /// What is taken from the module; none for the module itself.
    pub(super) item: Option<String>,
}

/// A class with its members by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    /// Its name.
    pub(super) name: String,
    /// Line of the name, from 1.
    pub(super) line: usize,
    /// What it is derived from.
    pub(super) bases: Vec<Expression>,
    /// Methods and attributes.
    pub(super) members: HashMap<String, Member>,
}

/// A member of a class.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Line, from 1.
    pub(super) line: usize,
    /// A method, or something that holds a value.
    pub(super) is_method: bool,
    /// What the value, or the result of the method, may be.
    pub(super) value: Vec<Expression>,
}

/// A function or method, for what its names hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    /// Line of the name, from 1.
    pub(super) line: usize,
    /// What it returns.
    pub(super) returns: Vec<Expression>,
    /// Its annotation says so, and not its `return` statements.
    pub(super) is_annotated: bool,
    /// What its parameters and variables may hold, in the order of the text.
    pub(super) locals: Vec<(String, Vec<Expression>)>,
}

/// What a name at the top level of a file stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    /// Index in `classes`.
    Class(usize),
    /// Index in `functions`.
    Function(usize),
    /// Index in `variables`.
    Variable(usize),
    /// Index in `imports`.
    Import(usize),
}

/// What one file defines and imports.
#[derive(Clone, Debug, Default)]
pub(super) struct FileFacts {
    /// Parts of the module's path in the repository.
    pub(super) module: Vec<String>,
    /// It is an `__init__` file, so that relative imports start in the module itself.
    pub(super) is_package: bool,
    /// Every definition, in the order of the text.
    pub(super) definitions: Vec<Definition>,
    /// Bound names, wherever the import stands.
    pub(super) imports: Vec<Import>,
    /// Modules that all names are taken from.
    pub(super) stars: Vec<Vec<String>>,
    /// All classes.
    pub(super) classes: Vec<Class>,
    /// All functions and methods.
    pub(super) functions: Vec<Function>,
    /// What the variables at the top level may hold.
    pub(super) variables: Vec<Vec<Expression>>,
    /// Names at the top level.
    pub(super) symbols: HashMap<String, Symbol>,
}

impl FileFacts {
    /// An empty file at this path inside the repository.
    pub(super) fn at(path: &str) -> Self {
        let mut module: Vec<String> = path.trim_end_matches(".py").split('/').map(str::to_owned).collect();
        let is_package = module.last().is_some_and(|last| last == "__init__");
        if is_package {
            module.pop();
        }
        Self {
            module,
            is_package,
            ..Self::default()
        }
    }

    /// The package that relative imports with one dot look into.
    pub(super) fn package(&self) -> &[String] {
        match self.is_package {
            true => &self.module,
            false => self.module.split_last().map(|(_, package)| package).unwrap_or_default(),
        }
    }
}
