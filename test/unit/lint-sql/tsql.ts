import type { Pair } from "./pair.ts";

export const tsqlPairs: readonly Pair[] = [
  {
    name: "if not exists, insert",
    rule: "check-then-insert",
    unsound:
      "IF NOT EXISTS (SELECT 1 FROM dbo.Orders WHERE Ref = @ref)\n  INSERT INTO dbo.Orders (Ref, Total) VALUES (@ref, @total)\nELSE\n  UPDATE dbo.Orders SET Total = @total WHERE Ref = @ref",
    sound:
      "IF NOT EXISTS (SELECT 1 FROM dbo.Orders WITH (UPDLOCK, HOLDLOCK) WHERE Ref = @ref)\n  INSERT INTO dbo.Orders (Ref, Total) VALUES (@ref, @total)",
  },
  {
    name: "if exists, begin, else begin",
    rule: "check-then-insert",
    unsound:
      "CREATE PROCEDURE dbo.Book @ref int AS\nBEGIN\n SET NOCOUNT ON;\n IF EXISTS (SELECT * FROM [dbo].[Orders] WHERE [Ref] = @ref)\n BEGIN\n  UPDATE [dbo].[Orders] SET Total = 1 WHERE [Ref] = @ref\n END\n ELSE\n BEGIN\n  INSERT [dbo].[Orders] ([Ref]) VALUES (@ref)\n END\nEND\nGO\n",
    sound:
      "CREATE PROCEDURE dbo.Book @ref int AS\nBEGIN\n SET NOCOUNT ON;\n IF NOT EXISTS (SELECT * FROM [dbo].[Customers] WHERE [Id] = @ref)\n BEGIN\n  THROW 50000, 'no customer', 1\n END\n INSERT [dbo].[Orders] ([Ref]) VALUES (@ref)\nEND\nGO\n",
  },
  {
    name: "a count in a variable",
    rule: "check-then-insert",
    unsound:
      "DECLARE @n int\nSELECT @n = COUNT(*) FROM Orders WHERE Ref = @ref\nIF @n = 0\nBEGIN\n INSERT INTO Orders (Ref) VALUES (@ref)\nEND",
    sound:
      "DECLARE @n int\nSELECT @n = COUNT(*) FROM Orders WITH (UPDLOCK, HOLDLOCK) WHERE Ref = @ref\nIF @n = 0\nBEGIN\n INSERT INTO Orders (Ref) VALUES (@ref)\nEND",
  },
  {
    name: "a declared variable",
    rule: "check-then-insert",
    unsound:
      "DECLARE @id int = (SELECT Id FROM Orders WHERE Ref = @ref);\nIF @id IS NULL INSERT INTO Orders (Ref) VALUES (@ref);",
    sound:
      "DECLARE @id int = (SELECT Id FROM Customers WHERE Ref = @ref);\nIF @id IS NULL INSERT INTO Orders (Ref) VALUES (@ref);",
  },
  {
    name: "a count beside a number",
    rule: "check-then-insert",
    unsound: "IF (SELECT COUNT(*) FROM Orders WHERE Ref = @ref) = 0 INSERT Orders (Ref) VALUES (@ref)",
    sound: "IF (SELECT COUNT(*) FROM Orders WHERE Customer = @c) > 10 RETURN\nINSERT OrderLines (Ref) VALUES (@ref)",
  },
  {
    name: "if exists, return",
    rule: "check-then-insert",
    unsound:
      "ALTER PROC Book @ref int AS\nIF EXISTS (SELECT 1 FROM Orders WHERE Ref = @ref) RETURN\nINSERT INTO Orders (Ref) VALUES (@ref)\nGO",
    sound:
      "ALTER PROC Book @ref int AS\nEXEC sp_getapplock @Resource = 'orders', @LockMode = 'Exclusive'\nIF EXISTS (SELECT 1 FROM Orders WHERE Ref = @ref) RETURN\nINSERT INTO Orders (Ref) VALUES (@ref)\nGO",
  },
  {
    name: "update, @@rowcount, insert",
    rule: "update-then-insert",
    unsound:
      "UPDATE Stock SET N = N + 1 WHERE Item = @i\nIF @@ROWCOUNT = 0\n INSERT INTO Stock (Item, N) VALUES (@i, 1)",
    sound:
      "UPDATE Stock WITH (UPDLOCK, SERIALIZABLE) SET N = N + 1 WHERE Item = @i\nIF @@ROWCOUNT = 0\n INSERT INTO Stock (Item, N) VALUES (@i, 1)",
  },
  {
    name: "merge",
    rule: "merge-without-guard",
    unsound:
      "MERGE INTO dbo.Fact AS t USING #stage AS s ON t.Ref = s.Ref WHEN MATCHED THEN UPDATE SET Total = s.Total WHEN NOT MATCHED BY TARGET THEN INSERT (Ref, Total) VALUES (s.Ref, s.Total);",
    sound:
      "MERGE INTO dbo.Fact WITH (HOLDLOCK) AS t USING #stage AS s ON t.Ref = s.Ref WHEN MATCHED THEN UPDATE SET Total = s.Total WHEN NOT MATCHED BY TARGET THEN INSERT (Ref, Total) VALUES (s.Ref, s.Total);",
  },
  {
    name: "merge into one's own",
    rule: "merge-without-guard",
    unsound:
      "MERGE dbo.Fact t USING (SELECT 1 AS Ref) s ON t.Ref = s.Ref WHEN NOT MATCHED THEN INSERT (Ref) VALUES (s.Ref);",
    sound:
      "MERGE #fact t USING (SELECT 1 AS Ref) s ON t.Ref = s.Ref WHEN NOT MATCHED THEN INSERT (Ref) VALUES (s.Ref);",
  },
  {
    name: "where not exists",
    rule: "insert-where-not-exists",
    unsound:
      "INSERT INTO Orders (Ref) SELECT Ref FROM Stage s WHERE NOT EXISTS (SELECT * FROM Orders o WHERE o.Ref = s.Ref)",
    sound:
      "INSERT INTO Orders (Ref) SELECT Ref FROM Stage s WHERE NOT EXISTS (SELECT * FROM Orders o WITH (UPDLOCK, HOLDLOCK) WHERE o.Ref = s.Ref)",
  },
  {
    name: "not in",
    rule: "insert-where-not-exists",
    unsound: "INSERT Orders (Ref) SELECT Ref FROM Stage WHERE Ref NOT IN (SELECT Ref FROM Orders)",
    sound:
      "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE\nINSERT Orders (Ref) SELECT Ref FROM Stage WHERE Ref NOT IN (SELECT Ref FROM Orders)",
  },
  {
    name: "left join, is null",
    rule: "insert-where-not-exists",
    unsound:
      "INSERT INTO dbo.Fact (Ref) SELECT s.Ref FROM Stage s LEFT JOIN dbo.Fact f ON f.Ref = s.Ref WHERE f.Ref IS NULL",
    sound: "SELECT s.Ref INTO #missing FROM Stage s LEFT JOIN dbo.Fact f ON f.Ref = s.Ref WHERE f.Ref IS NULL",
  },
  {
    name: "delete and insert",
    rule: "delete-then-insert",
    unsound:
      "BEGIN TRAN\nDELETE FROM dbo.Fact WHERE Day = @day\nINSERT INTO dbo.Fact (Day, Total) SELECT Day, Total FROM Stage WHERE Day = @day\nCOMMIT",
    sound: "DECLARE @t TABLE (Day date)\nDELETE FROM @t WHERE Day = @day\nINSERT INTO @t (Day) SELECT Day FROM Stage",
  },
  {
    name: "delete of an alias, in two batches",
    rule: "delete-then-insert",
    unsound:
      "DELETE f FROM dbo.Fact f JOIN Stage s ON s.Ref = f.Ref WHERE f.Ref = s.Ref\nGO\nINSERT INTO dbo.Fact (Ref) SELECT Ref FROM Stage\nGO",
    sound:
      "DELETE f FROM dbo.Fact f WHERE f.Created < DATEADD(day, -90, GETDATE())\nGO\nINSERT INTO dbo.Fact (Ref) SELECT Ref FROM Stage\nGO",
  },
  {
    name: "try, catch of a duplicate",
    rule: "check-then-insert",
    unsound:
      "BEGIN TRY\n IF NOT EXISTS (SELECT 1 FROM Orders WHERE Ref = @r) INSERT INTO Orders (Ref) VALUES (@r)\nEND TRY\nBEGIN CATCH\n THROW\nEND CATCH",
    sound:
      "BEGIN TRY\n IF NOT EXISTS (SELECT 1 FROM Orders WHERE Ref = @r) INSERT INTO Orders (Ref) VALUES (@r)\nEND TRY\nBEGIN CATCH\n IF ERROR_NUMBER() NOT IN (2601, 2627) THROW\nEND CATCH",
  },
  {
    name: "a catch that throws again",
    rule: "check-then-insert",
    unsound: `CREATE OR ALTER PROCEDURE dbo.AddItem @Sku nvarchar(40) AS
SET NOCOUNT ON;
BEGIN TRY
  BEGIN TRAN
  IF NOT EXISTS (SELECT 1 FROM dbo.Items WHERE Sku = @Sku)
    INSERT dbo.Items (Sku) VALUES (@Sku)
  COMMIT
END TRY
BEGIN CATCH
  IF @@TRANCOUNT > 0 ROLLBACK;
  THROW;
END CATCH
GO`,
    sound: `CREATE OR ALTER PROCEDURE dbo.AddItem @Sku nvarchar(40) AS
SET NOCOUNT ON;
BEGIN TRY
  IF NOT EXISTS (SELECT 1 FROM dbo.Items WHERE Sku = @Sku)
    INSERT dbo.Items (Sku) VALUES (@Sku)
END TRY
BEGIN CATCH
  IF ERROR_NUMBER() NOT IN (2601, 2627) THROW;
END CATCH
GO`,
  },
  {
    name: "an update through an alias, and @@rowcount",
    rule: "update-then-insert",
    unsound: `UPDATE t SET Qty = Qty + 1 FROM [dbo].[Stock] AS t WHERE t.Sku = @s
IF @@ROWCOUNT = 0
BEGIN
  INSERT INTO [dbo].[Stock] ([Sku], [Qty]) VALUES (@s, 1)
END`,
    sound: `BEGIN TRAN
UPDATE t SET Qty = Qty + 1 FROM [dbo].[Stock] AS t WITH (UPDLOCK, SERIALIZABLE) WHERE t.Sku = @s
IF @@ROWCOUNT = 0
BEGIN
  INSERT INTO [dbo].[Stock] ([Sku], [Qty]) VALUES (@s, 1)
END
COMMIT`,
  },
  {
    name: "a merge from a table variable",
    rule: "merge-without-guard",
    unsound: `MERGE dbo.Prices t USING @new s ON t.Sku = s.Sku
WHEN MATCHED AND t.Price <> s.Price THEN UPDATE SET t.Price = s.Price
WHEN NOT MATCHED BY TARGET THEN INSERT (Sku, Price) VALUES (s.Sku, s.Price)
WHEN NOT MATCHED BY SOURCE THEN DELETE;
GO`,
    sound: `MERGE dbo.Prices WITH (HOLDLOCK, ROWLOCK) AS t USING @new s ON t.Sku = s.Sku
WHEN MATCHED AND t.Price <> s.Price THEN UPDATE SET t.Price = s.Price
WHEN NOT MATCHED BY TARGET THEN INSERT (Sku, Price) VALUES (s.Sku, s.Price);
GO`,
  },
  {
    name: "a variable of select top 1",
    rule: "check-then-insert",
    unsound: `DECLARE @id int
SELECT TOP 1 @id = Id FROM dbo.Customers WHERE Mail = @mail
IF @id IS NULL
BEGIN
  INSERT dbo.Customers (Mail) VALUES (@mail)
  SET @id = SCOPE_IDENTITY()
END
SELECT @id`,
    sound: `DECLARE @id int
SELECT TOP 1 @id = Id FROM dbo.Customers WITH (UPDLOCK, HOLDLOCK) WHERE Mail = @mail
IF @id IS NULL
BEGIN
  INSERT dbo.Customers (Mail) VALUES (@mail)
  SET @id = SCOPE_IDENTITY()
END
SELECT @id`,
  },
  {
    name: "exists and else",
    rule: "check-then-insert",
    unsound: `IF EXISTS (SELECT * FROM Accounts WHERE No = @no)
  UPDATE Accounts SET Name = @name WHERE No = @no
ELSE
  INSERT INTO Accounts (No, Name) SELECT @no, @name`,
    sound: `IF EXISTS (SELECT * FROM Blocked WHERE No = @no)
  RAISERROR('blocked', 16, 1)
ELSE
  INSERT INTO Accounts (No, Name) SELECT @no, @name`,
  },
  {
    name: "a count and return",
    rule: "check-then-insert",
    unsound: `IF (SELECT COUNT(*) FROM dbo.Jobs WHERE Name = N'nightly') >= 1 RETURN
INSERT INTO dbo.Jobs (Name) VALUES (N'nightly')
GO`,
    sound: `SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
BEGIN TRAN
IF (SELECT COUNT(*) FROM dbo.Jobs WHERE Name = N'nightly') >= 1 RETURN
INSERT INTO dbo.Jobs (Name) VALUES (N'nightly')
COMMIT
GO`,
  },
  {
    name: "a day deleted and loaded",
    rule: "delete-then-insert",
    unsound: `DELETE FROM dbo.FactSales WHERE LoadDate = @d;
INSERT INTO dbo.FactSales (LoadDate, Sku, Amount) SELECT @d, Sku, Amount FROM stage.Sales WHERE LoadDate = @d;`,
    sound: `DELETE FROM stage.Sales WHERE LoadDate = @d;
INSERT INTO dbo.FactSales (LoadDate, Sku, Amount) SELECT @d, Sku, Amount FROM stage.Incoming WHERE LoadDate = @d;`,
  },
  {
    name: "a left outer join with an option",
    rule: "insert-where-not-exists",
    unsound: `INSERT INTO dbo.Dim (Code, Label)
SELECT s.Code, s.Label FROM stage.Dim AS s LEFT OUTER JOIN dbo.Dim AS d ON d.Code = s.Code WHERE d.Code IS NULL OPTION (RECOMPILE);`,
    sound: `INSERT INTO dbo.Dim (Code, Label)
SELECT s.Code, s.Label FROM stage.Dim AS s LEFT OUTER JOIN dbo.Dim AS d WITH (UPDLOCK, HOLDLOCK) ON d.Code = s.Code WHERE d.Code IS NULL OPTION (RECOMPILE);`,
  },
];
